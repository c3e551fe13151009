/*
 * main: the environment is read here and nowhere else in the command line.
 */
#include <stdlib.h>

#include "cli/cli.h"

int main(int argc, char **argv)
{
	struct environment environment = {
		.xdg_runtime_dir = getenv("XDG_RUNTIME_DIR"),
		.user = getenv("USER"),
		.notify_socket = getenv("NOTIFY_SOCKET"),
		.session_bus = getenv("DBUS_SESSION_BUS_ADDRESS"),
		.path = getenv("PATH"),
		.listen_fds = getenv("LISTEN_FDS"),
		.listen_pid = getenv("LISTEN_PID"),
	};

	return cli_main(argc, argv, &environment);
}
