/*
 * The plan of restore: criu makes the container's processes, namespaces and mounts from the images;
 * what is left for us is the cgroup, which criu is to be in, and a root that it can build on. The
 * same kinds of steps as create, and the same walk, up to the execution of criu.
 */
#include <sched.h>
#include <sys/mount.h>

#include "base/str.h"
#include "plan/steps.h"

/*
 * The namespace is for criu's root and for what is mounted in passing: none of it can stay behind,
 * whatever becomes of us.
 */
static int build_root(struct steps *s, const struct plan_request *request, struct err *e)
{
	struct step *step;

	s->plan->clone_flags = CLONE_NEWNS;
	s->plan->mount_namespace = true;
	s->plan->propagation = MS_SLAVE | MS_REC;
	step = steps_add(s, STEP_ROOT, "/root/path", e);
	if (!step)
		return -1;
	step->root.source = request->rootfs;
	return 0;
}

/*
 * Mounts are made as create makes them, so that what they are mounted on is there for criu. Not
 * those of the kernel's own things: of cgroups, whose options hold for the whole machine, and
 * remounts, which may reach file systems of the host.
 */
static void drop_views(struct steps *s)
{
	struct plan *plan = s->plan;
	size_t kept = 0;

	for (size_t i = 0; i < plan->count; i++) {
		const struct step *step = &plan->step[i];
		bool view = step->kind == STEP_MOUNT && step->mount->how != MOUNT_NEW &&
			    step->mount->how != MOUNT_BIND;

		if (!view)
			plan->step[kept++] = *step;
	}
	plan->count = kept;
}

static int build_criu(struct steps *s, const struct plan_request *request, struct err *e)
{
	struct step *step = steps_add(s, STEP_CRIU_ROOT, "/root", e);

	if (!step)
		return -1;
	step->criu_root.source = request->rootfs;
	step->criu_root.target = request->criu_root;
	step->criu_root.readonly = s->spec->root->readonly;
	return steps_add(s, STEP_CRIU, NULL, e) ? 0 : -1;
}

static struct steps begin(const struct spec *spec, const struct plan_facts *facts,
			  const struct plan_request *request, struct arena *a, struct err *e)
{
	struct plan *plan = arena_get(a, sizeof(*plan), e);

	if (plan) {
		plan->spec = spec;
		plan->process = spec->process;
		plan->id = request->id;
		plan->rootfs = request->rootfs;
		plan->bundle = request->bundle;
	}
	return (struct steps){
		.plan = plan, .spec = spec, .facts = facts, .arena = a, .log = request->log};
}

int plan_build_restore(const struct spec *spec, const struct plan_facts *facts,
		       const struct plan_request *request, struct arena *a, struct plan **ret,
		       struct err *e)
{
	struct steps s = begin(spec, facts, request, a, e);

	if (!s.plan || build_cgroup(&s, request, e) || build_rdt(&s, request, e) ||
	    build_root(&s, request, e) || build_mounts(&s, request, e) || build_cgroup_owner(&s, e))
		return -1;
	drop_views(&s);
	return build_criu(&s, request, e) ? -1 : steps_finish(&s, ret, e);
}

int plan_build_mounts(const struct spec *spec, const struct plan_facts *facts,
		      const struct plan_request *request, struct arena *a, struct plan **ret,
		      struct err *e)
{
	struct steps s = begin(spec, facts, request, a, e);

	if (!s.plan || build_mounts(&s, request, e) || build_devices(&s, e))
		return -1;
	return steps_finish(&s, ret, e);
}
