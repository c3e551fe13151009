/*
 * Questions to a configuration: see spec.h.
 */
#include "spec/spec.h"

const struct spec_namespace *spec_namespace_find(const struct spec *spec, enum ns_type type)
{
	for (size_t i = 0; i < spec->linux_.namespaces.count; i++)
		if (spec->linux_.namespaces.item[i].type == type)
			return &spec->linux_.namespaces.item[i];
	return NULL;
}
