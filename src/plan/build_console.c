/*
 * Chapter "console" of a plan: the process's terminal, and what of it and of the process itself the
 * caller gets through sockets. The same for create, run and exec.
 */
#include "plan/steps.h"

static int add_socket(struct steps *s, enum step_kind kind, const char *path, const char *word,
		      struct err *e)
{
	struct step *step = steps_add(s, kind, NULL, e);

	if (!step)
		return -1;
	step->socket.path = path;
	step->socket.word = word;
	return 0;
}

static uint16_t clamp(const struct opt_u32 *value)
{
	return value->value > UINT16_MAX ? UINT16_MAX : (uint16_t)value->value;
}

int build_console(struct steps *s, const struct spec_process *process, const char *socket,
		  bool dev_console, struct err *e)
{
	struct step *step;

	if (!process->terminal)
		return 0;
	if (socket && add_socket(s, STEP_CONSOLE_SOCKET, socket, NULL, e))
		return -1;
	step = steps_add(s, STEP_CONSOLE, "/process/terminal", e);
	if (!step)
		return -1;
	step->console.size.rows = clamp(&process->console_size.height);
	step->console.size.columns = clamp(&process->console_size.width);
	step->console.dev_console = dev_console;
	return 0;
}

int build_report(struct steps *s, const char *pidfd_socket, const char *word, struct err *e)
{
	if (pidfd_socket && add_socket(s, STEP_PIDFD, pidfd_socket, word, e))
		return -1;
	return steps_add(s, STEP_REPORT, NULL, e) ? 0 : -1;
}
