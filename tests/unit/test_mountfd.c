/*
 * Mount data on its way to the kernel: which options it is taken for. The kernel repeats those that
 * a file system does not know.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/fd.h"
#include "scratch.h"
#include "sys/mountfd.h"

static void refused_option(const char *data, const char *option)
{
	_close_ int fd = mountfd_new("tmpfs", "tmpfs", data, 0, 0, &scratch_err);

	assert_int_equal(fd, -1);
	assert_non_null(strstr(scratch_err.text, option));
}

static void commas_part_options(void **state)
{
	(void)state;
	scratch_need_root();
	refused_option("mode=755,,nothing=a,size=1m", "file system option nothing=a:");
	refused_option("mode=755,nothing", "file system option nothing:");
	refused_option("nothing=\"a,b\"", "file system option nothing=\"a:");
}

/* SELinux's categories. A label that no policy has is refused where there is one. */
static void commas_within_a_quoted_label_do_not(void **state)
{
	(void)state;
	scratch_need_root();
	refused_option("mode=755,context=\"u:r:t:s0:c1,c2\",size=1m",
		       "file system option context=u:r:t:s0:c1,c2:");
	refused_option("rootcontext=\"u:r:t:s0:c1,c2\"",
		       "file system option rootcontext=u:r:t:s0:c1,c2:");
	refused_option("context=u:r:t:s0", "file system option context=u:r:t:s0:");
	refused_option("context=\"never,ended", "file system option context=never:");
	refused_option("context=\"", "file system option context=:");
	refused_option("context=\"\"", "file system option context=:");
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		test(commas_part_options),
		test(commas_within_a_quoted_label_do_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
