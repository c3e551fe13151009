/*
 * The handle behind include/creel.h, and the verbs: one file each, every one a story from top to
 * bottom. api.c turns their errors into the public ones; nobody else calls them.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "creel.h"
#include "spec/spec.h"
#include "state/record.h"

struct creel {
	struct creel_options options;
	const char *root; /* the state directory */
	struct log log;
	struct arena arena; /* the handle itself, then the running command; emptied by the next */
};

int container_create(struct creel *c, const char *id, const struct creel_create *o,
		     struct err *e) must_check;
int container_start(struct creel *c, const char *id, const struct creel_start *o,
		    struct err *e) must_check;
int container_run(struct creel *c, const char *id, const struct creel_create *o, int *ret_status,
		  struct err *e) must_check;
int container_exec(struct creel *c, const char *id, const struct creel_exec *o, int *ret_status,
		   struct err *e) must_check;
int container_state(struct creel *c, const char *id, struct creel_state *ret,
		    struct err *e) must_check;
int container_list(struct creel *c, const struct creel_state **ret, size_t *ret_count,
		   void (*broken)(void *user, const char *id, const struct err *why), void *user,
		   struct err *e) must_check;
int container_match(struct creel *c, const char *pattern, struct str_list *ret,
		    struct err *e) must_check;
int container_ps(struct creel *c, const char *id, const pid_t **ret_pids, size_t *ret_count,
		 struct err *e) must_check;
int container_pause(struct creel *c, const char *id, struct err *e) must_check;
int container_resume(struct creel *c, const char *id, struct err *e) must_check;
int container_kill(struct creel *c, const char *id, int signal, bool all, struct err *e) must_check;
int container_delete(struct creel *c, const char *id, bool force, struct err *e) must_check;
int container_checkpoint(struct creel *c, const char *id, const struct creel_criu *o,
			 struct err *e) must_check;
int container_restore(struct creel *c, const char *id, const struct creel_create *o,
		      const struct creel_criu *criu, int *ret_status, struct err *e) must_check;
int container_events(struct creel *c, const char *id, const struct creel_events *o,
		     struct err *e) must_check;
int container_update(struct creel *c, const char *id, const struct creel_update *o,
		     struct err *e) must_check;
int container_explain(struct creel *c, const char *id, const struct creel_create *o,
		      const char **ret, struct err *e) must_check;
int container_template(struct creel *c, bool rootless, const char **ret, struct err *e) must_check;
