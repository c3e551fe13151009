/*
 * Why the kernel made no namespace. Looked up only when it has refused, by who clones or unshares,
 * and told as the error's hint: which sysctl, which security module, what to do. Reads what any
 * user may read, and changes nothing. Sources: user_namespaces(7), namespaces(7), proc_sys_user(5).
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

/* Adds the hint to an error whose e->sys is the kernel's answer to these CLONE_NEW…. */
void refusal_of_namespaces(uint64_t flags, struct err *e);
