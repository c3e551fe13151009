/*
 * Addresses of unix sockets: see address.h.
 */
#include "sys/address.h"

#include <stdio.h>
#include <sys/socket.h>

struct sockaddr_un address_of(int fd)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	(void)snprintf(un.sun_path, sizeof(un.sun_path), "/proc/self/fd/%d", fd);
	return un;
}

struct sockaddr_un address_below(int fd, const char *name)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	(void)snprintf(un.sun_path, sizeof(un.sun_path), "/proc/self/fd/%d/%s", fd, name);
	return un;
}
