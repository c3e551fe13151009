/*
 * The environment variables that the command line heeds, read once in main. NULL where one is not
 * set.
 */
#pragma once

struct environment {
	const char *xdg_runtime_dir, *user;  /* choose the default of --root */
	const char *notify_socket;           /* sd_notify(3) */
	const char *session_bus;             /* DBUS_SESSION_BUS_ADDRESS: systemd of the user */
	const char *path;                    /* PATH: where criu is looked up */
	const char *listen_fds, *listen_pid; /* sd_listen_fds(3) */
};
