/*
 * Copying a tree of the container's image into a new file system (the mount option tmpcopyup). The
 * image is hostile: nothing is opened but directories and plain files, and no link is followed.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

/*
 * Copies what is below the directory from into the empty directory to: files, directories, links
 * (as they stand), devices, FIFOs and sockets (made anew), with their owners, modes, times and
 * extended attributes. What two names of one file share is copied twice, and holes stay holes. The
 * two directories themselves are left as they are. The umask must be 0. Errors name the path below
 * from.
 */
int copyup(int from, int to, struct arena *a, struct err *e) must_check;
