/*
 * rtnetlink: what its answers may be, from a kernel that is played by the other end of a socket
 * pair, and a few words with the real one. Needs no privilege.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/str.h"
#include "scratch.h"
#include "sys/netlink.h"

static struct netlink n;
static int kernel = -1;

static int setup(void **state)
{
	int pair[2];

	if (scratch_setup(state) || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -1;
	n = (struct netlink){.fd = pair[0]};
	kernel = pair[1];
	return 0;
}

static int teardown(void **state)
{
	fd_close(&n.fd);
	fd_close(&kernel);
	return scratch_teardown(state);
}

/* A datagram under construction. */
struct datagram {
	_Alignas(struct nlmsghdr) char bytes[40000];
	size_t length;
	struct nlmsghdr *last;
};

static void add_message(struct datagram *d, uint16_t type, uint16_t flags, uint32_t sequence,
			const void *body, size_t length)
{
	d->last = (void *)(d->bytes + d->length);
	*d->last = (struct nlmsghdr){.nlmsg_len = (uint32_t)NLMSG_LENGTH(length),
				     .nlmsg_type = type,
				     .nlmsg_flags = flags,
				     .nlmsg_seq = sequence};
	if (length)
		memcpy(NLMSG_DATA(d->last), body, length);
	d->length += NLMSG_SPACE(length);
}

static void add_attribute(struct datagram *d, uint16_t type, const void *value, size_t length)
{
	struct rtattr *a = (void *)(d->bytes + d->length);

	*a = (struct rtattr){.rta_len = (uint16_t)RTA_LENGTH(length), .rta_type = type};
	memcpy(RTA_DATA(a), value, length);
	d->length += RTA_SPACE(length);
	d->last->nlmsg_len = (uint32_t)((char *)a + RTA_LENGTH(length) - (char *)d->last);
}

static void answer(const struct datagram *d)
{
	assert_int_equal(send(kernel, d->bytes, d->length, 0), d->length);
}

static void add_error(struct datagram *d, int number, uint16_t flags)
{
	struct nlmsgerr body = {.error = -number};

	add_message(d, NLMSG_ERROR, flags, 1, &body, sizeof(body));
}

static void finding_fails_with(const char *text)
{
	int index = 7;

	assert_int_equal(netlink_find(&n, "eth0", &index, &scratch_err), -1);
	assert_string_equal(scratch_err.text, text);
	assert_int_equal(index, 7);
}

static void a_device_is_found_by_its_name(void **state)
{
	struct ifinfomsg link = {.ifi_index = 12};
	struct datagram d = {0};
	struct {
		struct nlmsghdr header;
		struct ifinfomsg body;
		struct rtattr head;
		char name[5];
	} asked = {0};
	int index;

	(void)state;
	add_message(&d, RTM_NEWLINK, 0, 1, &link, sizeof(link));
	answer(&d);
	assert_int_equal(netlink_find(&n, "eth0", &index, &scratch_err), 0);
	assert_int_equal(index, 12);
	assert_int_equal(recv(kernel, &asked, sizeof(asked), MSG_TRUNC),
			 NLMSG_LENGTH(sizeof(link)) + RTA_LENGTH(5));
	assert_int_equal(asked.header.nlmsg_type, RTM_GETLINK);
	assert_int_equal(asked.header.nlmsg_flags, NLM_F_REQUEST);
	assert_int_equal(asked.head.rta_type, IFLA_IFNAME);
	assert_string_equal(asked.name, "eth0");
}

static void what_is_no_answer_is_refused(void **state)
{
	static const char no_answer[] = "find the device: not the netlink answer to this request";
	struct ifinfomsg link = {.ifi_index = 12};
	struct datagram d = {0}, later = {0}, cut = {0}, other = {0};

	(void)state;
	add_message(&d, RTM_NEWLINK, 0, 2, &link, sizeof(link)); /* of a request not made yet */
	answer(&d);
	finding_fails_with(no_answer);
	add_message(&later, RTM_NEWLINK, 0, 2, &link, sizeof(link));
	later.last->nlmsg_len += 4; /* longer than what came */
	answer(&later);
	finding_fails_with(no_answer);
	cut.length = sizeof(struct nlmsghdr) - 1;
	answer(&cut);
	finding_fails_with(no_answer);
	add_message(&other, RTM_NEWADDR, 0, 4, &link, sizeof(link));
	answer(&other);
	finding_fails_with("find the device: an unexpected netlink answer");
}

static void a_link_without_its_body_is_refused(void **state)
{
	struct datagram d = {0};

	(void)state;
	add_message(&d, RTM_NEWLINK, 0, 1, NULL, 0);
	answer(&d);
	finding_fails_with("find the device: an unexpected netlink answer");
}

static void an_answer_too_long_is_refused(void **state)
{
	struct datagram d = {.length = 32769};

	(void)state;
	answer(&d);
	finding_fails_with("find the device: receive a netlink answer: it has 32769 bytes");
}

static void an_error_has_its_errno_and_the_kernels_words(void **state)
{
	struct datagram d = {0}, plain = {0};

	(void)state;
	add_error(&d, EPERM, NLM_F_ACK_TLVS);
	add_attribute(&d, NLMSGERR_ATTR_OFFS, &(uint32_t){4}, 4);
	add_attribute(&d, NLMSGERR_ATTR_MSG, "not today", sizeof("not today"));
	answer(&d);
	finding_fails_with("find the device: operation not permitted (not today)");
	assert_int_equal(scratch_err.sys, EPERM);
	add_error(&plain, ENODEV, 0);
	plain.last->nlmsg_seq = 2;
	answer(&plain);
	finding_fails_with("find the device: no such device");
	assert_int_equal(scratch_err.sys, ENODEV);
}

static void words_that_break_the_bounds_are_left_out(void **state)
{
	struct datagram unended = {0}, beyond = {0}, huge = {0}, bare = {0};
	static char long_text[8000];

	(void)state;
	memset(long_text, 'x', sizeof(long_text));
	add_error(&unended, EPERM, NLM_F_ACK_TLVS);
	add_attribute(&unended, NLMSGERR_ATTR_MSG, "no end", 6);
	answer(&unended);
	finding_fails_with("find the device: operation not permitted (no end)");
	add_error(&beyond, EPERM, NLM_F_ACK_TLVS);
	add_attribute(&beyond, NLMSGERR_ATTR_MSG, "text", 5);
	((struct rtattr *)((char *)beyond.last + NLMSG_LENGTH(sizeof(struct nlmsgerr))))->rta_len =
		2000;
	beyond.last->nlmsg_seq = 2;
	answer(&beyond);
	finding_fails_with("find the device: operation not permitted");
	add_error(&huge, EPERM, NLM_F_ACK_TLVS);
	add_attribute(&huge, NLMSGERR_ATTR_MSG, long_text, sizeof(long_text));
	huge.last->nlmsg_seq = 3;
	answer(&huge);
	finding_fails_with("find the device: operation not permitted");
	add_message(&bare, NLMSG_ERROR, 0, 4, NULL, 0);
	answer(&bare);
	finding_fails_with("find the device: a netlink answer cut short");
}

static void a_change_must_be_acknowledged(void **state)
{
	struct ifinfomsg link = {.ifi_index = 12};
	struct datagram d = {0}, other = {0};

	(void)state;
	add_error(&d, 0, 0);
	answer(&d);
	assert_int_equal(netlink_set_up(&n, 12, &scratch_err), 0);
	add_message(&other, RTM_NEWLINK, 0, 2, &link, sizeof(link));
	answer(&other);
	assert_int_equal(netlink_set_up(&n, 12, &scratch_err), -1);
	assert_string_equal(scratch_err.text, "set the device up: not acknowledged");
}

static void add_ip(struct datagram *d, uint16_t flags, uint32_t index, uint32_t ip)
{
	struct ifaddrmsg body = {.ifa_family = AF_INET, .ifa_index = index, .ifa_flags = 0x80};

	add_message(d, RTM_NEWADDR, NLM_F_MULTI | flags, 1, &body, sizeof(body));
	add_attribute(d, IFA_LABEL, "eth0", 5);
	add_attribute(d, IFA_LOCAL, &ip, sizeof(ip));
	add_attribute(d, IFA_FLAGS, &(uint32_t){0x280}, 4);
}

static void addresses_are_collected_from_all_answers(void **state)
{
	struct netlink_addresses found;
	struct datagram first = {0}, second = {0}, end = {0};

	(void)state;
	add_ip(&first, 0, 12, 1);
	add_ip(&first, 0, 13, 2); /* of another device */
	add_ip(&second, 0, 12, 3);
	second.last->nlmsg_seq = 9; /* of another request */
	add_ip(&second, 0, 12, 4);
	add_message(&end, NLMSG_DONE, NLM_F_MULTI, 1, &(int){0}, sizeof(int));
	answer(&first);
	answer(&second);
	answer(&end);
	assert_int_equal(netlink_list_addresses(&n, 12, &scratch_arena, &found, &scratch_err), 0);
	assert_int_equal(found.count, 2);
	for (size_t i = 0; i < 2; i++) {
		const struct rtattr *a = (const void *)found.item[i].attributes;

		assert_int_equal(found.item[i].length, RTA_SPACE(4));
		assert_int_equal(found.item[i].flags, 0x280);
		assert_int_equal(a->rta_type, IFA_LOCAL);
		assert_int_equal(*(const uint32_t *)RTA_DATA(a), i ? 4 : 1);
	}
}

static void an_address_without_room_keeps_what_fits(void **state)
{
	struct ifaddrmsg body = {.ifa_family = AF_INET6, .ifa_index = 12};
	struct netlink_addresses found;
	struct datagram d = {0};
	char huge[100] = "";

	(void)state;
	add_message(&d, RTM_NEWADDR, NLM_F_MULTI, 1, &body, sizeof(body));
	add_attribute(&d, IFA_ADDRESS, huge, sizeof(huge));
	add_attribute(&d, IFA_FLAGS, huge, 3);
	for (int i = 0; i < 9; i++)
		add_attribute(&d, IFA_LOCAL, huge, 16);
	add_message(&d, RTM_NEWADDR, NLM_F_MULTI, 1, &body, 4); /* cut short */
	add_message(&d, NLMSG_DONE, NLM_F_MULTI, 1, &(int){0}, sizeof(int));
	answer(&d);
	assert_int_equal(netlink_list_addresses(&n, 12, &scratch_arena, &found, &scratch_err), 0);
	assert_int_equal(found.count, 1);
	assert_int_equal(found.item[0].length, 3 * RTA_SPACE(16));
	assert_int_equal(found.item[0].flags, 0);
}

static void a_list_that_changes_is_read_again(void **state)
{
	struct netlink_addresses found;

	(void)state;
	for (uint32_t try = 1; try <= 20; try++) {
		struct datagram d = {0};

		add_ip(&d, NLM_F_DUMP_INTR, 12, try);
		d.last->nlmsg_seq = try;
		add_message(&d, NLMSG_DONE, NLM_F_MULTI, try, &(int){0}, sizeof(int));
		answer(&d);
	}
	assert_int_equal(netlink_list_addresses(&n, 12, &scratch_arena, &found, &scratch_err), -1);
	assert_string_equal(scratch_err.text, "list addresses: they change all the time");
}

static void the_real_kernel_answers(void **state)
{
	struct netlink_addresses found;
	struct netlink real, other;
	bool has, same;
	int lo;

	(void)state;
	assert_int_equal(netlink_open(&real, &scratch_err), 0);
	assert_int_equal(netlink_find(&real, "lo", &lo, &scratch_err), 0);
	assert_int_equal(netlink_has_index(&real, lo, &has, &scratch_err), 0);
	assert_true(has);
	assert_int_equal(netlink_has_index(&real, 123456789, &has, &scratch_err), 0);
	assert_false(has);
	assert_int_equal(netlink_find(&real, "no_such_device", &lo, &scratch_err), -1);
	assert_int_equal(scratch_err.sys, ENODEV);
	assert_int_equal(netlink_list_addresses(&real, lo, &scratch_arena, &found, &scratch_err),
			 0);
	assert_int_equal(netlink_open(&other, &scratch_err), 0);
	if (!netlink_is_same(&real, &other, &same, &scratch_err)) /* takes CAP_NET_ADMIN */
		assert_true(same);
	fd_close(&real.fd);
	fd_close(&other.fd);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		test(a_device_is_found_by_its_name),
		test(what_is_no_answer_is_refused),
		test(a_link_without_its_body_is_refused),
		test(an_answer_too_long_is_refused),
		test(an_error_has_its_errno_and_the_kernels_words),
		test(words_that_break_the_bounds_are_left_out),
		test(a_change_must_be_acknowledged),
		test(addresses_are_collected_from_all_answers),
		test(an_address_without_room_keeps_what_fits),
		test(a_list_that_changes_is_read_again),
		test(the_real_kernel_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
