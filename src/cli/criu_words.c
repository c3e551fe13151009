/*
 * Words of the options of checkpoint and restore: see criu_words.h.
 */
#include "cli/criu_words.h"

#include <string.h>

#include "base/words.h"
#include "cli/error.h"

static const struct word mode_items[] = {
	{"", CREEL_MANAGE_CGROUPS_DEFAULT},      {"soft", CREEL_MANAGE_CGROUPS_SOFT},
	{"full", CREEL_MANAGE_CGROUPS_FULL},     {"strict", CREEL_MANAGE_CGROUPS_STRICT},
	{"ignore", CREEL_MANAGE_CGROUPS_IGNORE},
};
static const struct words modes = {mode_items, array_len(mode_items)};

static const struct word lock_items[] = {
	{"iptables", CREEL_NETWORK_LOCK_IPTABLES},
	{"nftables", CREEL_NETWORK_LOCK_NFTABLES},
	{"skip", CREEL_NETWORK_LOCK_SKIP},
};
static const struct words locks = {lock_items, array_len(lock_items)};

int criu_words(struct call *call, struct creel_error *ret_error)
{
	const char *mode = call->manage_cgroups_mode, *lock = call->network_lock;
	uint64_t number;

	if (mode && !word_number(&modes, mode, &number))
		return cli_fail(ret_error, CREEL_USAGE, "Invalid manage-cgroups-mode value");
	if (mode)
		call->criu.manage_cgroups = (enum creel_manage_cgroups)number;
	if (lock && !word_number(&locks, lock, &number))
		return cli_fail(ret_error, CREEL_USAGE, "Invalid network-lock value");
	if (lock)
		call->criu.network_lock = (enum creel_network_lock)number;
	for (size_t i = 0; i < call->empty_ns.count; i++)
		if (!str_equal(call->empty_ns.item[i], "network"))
			return cli_fail(ret_error, CREEL_USAGE, "namespace \"%s\" is not supported",
					call->empty_ns.item[i]);
	return 0;
}

/* "[::1]:27" → "::1"; NULL when it is no address. */
static const char *host_of(const struct call *call, const char *text, size_t length)
{
	bool brackets = length >= 2 && text[0] == '[' && text[length - 1] == ']';
	struct err err;

	if (brackets) {
		text++;
		length -= 2;
	}
	if (!length || (!brackets && memchr(text, ':', length)))
		return NULL;
	return arena_copy(call->arena, text, length, &err);
}

int criu_words_page_server(struct call *call, struct creel_error *ret_error)
{
	const char *text = call->page_server, *colon = text ? strrchr(text, ':') : NULL;
	uint32_t port;

	if (!text || !*text)
		return 0;
	if (colon && colon[1])
		call->criu.page_server_address = host_of(call, text, (size_t)(colon - text));
	if (!colon || !call->criu.page_server_address)
		return cli_fail(ret_error, CREEL_USAGE,
				"Use --page-server ADDRESS:PORT to specify page server");
	if (!str_to_u32(colon + 1, &port) || !port || port > UINT16_MAX)
		return cli_fail(ret_error, CREEL_USAGE, "Invalid port number");
	call->criu.page_server_port = (uint16_t)port;
	return 0;
}
