/*
 * The doer that tells the caller that all is ready: its pid file appears, complete and last of all.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "run/doers.h"

int do_report(struct walk *w, const struct step *step, struct err *e)
{
	char text[16];

	(void)step;
	if (!w->pid_file)
		return 0;
	(void)snprintf(text, sizeof(text), "%d", (int)w->pid);
	if (file_replace(AT_FDCWD, w->pid_file, 0666, text, strlen(text), e))
		return -1;
	w->reported = true;
	return 0;
}
