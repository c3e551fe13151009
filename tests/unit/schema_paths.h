/*
 * Every member that a JSON schema knows, as a path: the oracle of test_schema.c. A file of its own,
 * because json-c and base/json.h use the same names.
 */
#pragma once

#include <stdbool.h>

/*
 * Calls found for each member that folder/file describes: "process.args", "mounts[].options",
 * "linux.netDevices{}.name". References to other files are followed, within folder; what they lead
 * to and is not there is left out. False when the file itself cannot be read.
 */
bool schema_paths(const char *folder, const char *file, void (*found)(const char *path));
