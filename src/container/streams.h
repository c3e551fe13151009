/*
 * The standard streams of a container, which it has from its caller: after a checkpoint they are
 * gone, and restore puts its own in their place. So criu must know which of a container's files
 * they are.
 */
#pragma once

#include <sys/types.h>

#include "base/arena.h"
#include "base/str.h"
#include "spec/spec.h"

#define STREAMS 3

/*
 * At create: the caller's own streams, for the record. "pipe:[123]" where the n-th is a pipe,
 * otherwise ""; empty when none is, or process has a terminal.
 */
int streams_record(const struct spec_process *process, struct arena *a, struct str_list *ret,
		   struct err *e) must_check;

/*
 * At checkpoint: those of the record, and "file[MOUNT:INODE]", as criu calls it, for a file of the
 * host that is a standard stream of init. Three entries, or none.
 */
int streams_find(pid_t init, const struct str_list *recorded, struct arena *a, struct str_list *ret,
		 struct err *e) must_check;

/* The same for criu to be told of: is it a pipe, or a file; neither is what criu saves itself. */
bool stream_is_pipe(const char *stream);
bool stream_is_file(const char *stream);
