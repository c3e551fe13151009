/*
 * Small trees of directories, files and links, and paths into them, made of an input: what the
 * fuzzers of sys/inroot have in common. Links lead anywhere: within the tree, out of it, in
 * circles.
 */
#pragma once

#include "frame.h"

#define TREE_PATH 512

/* Fills a directory with names from "a" to "d", so many levels deep. */
void tree_grow(int directory, struct fuzz_rest *rest, unsigned levels);

/* A path of up to five parts: names of trees, ".", "..", with doubled and leading slashes. */
void tree_path(struct fuzz_rest *rest, char ret[TREE_PATH]);

/* Makes a directory, and opens it. */
int tree_directory(int at, const char *name);

/*
 * A directory with a file in it, for links to lead to. tree_untouched holds that it is as it was,
 * and removes the file.
 */
int tree_outside(int at);
void tree_untouched(int outside);

/* Removes what is in a directory, and whether there was anything. */
bool tree_empty(int directory);
