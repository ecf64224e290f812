#include "testing.h"

#include <sys/stat.h>
#include <unistd.h>

#include "host.h"

static char root[64];

static void write_file(const char *name, const char *text, size_t size_bytes)
{
    char path[256];
    snprintf(path, sizeof path, "%s%s", root, name);
    for (char *slash = path + strlen(root) + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fwrite(text, 1, size_bytes, file);
    fclose(file);
}

static int make_root(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "/tmp/picket-host-test-XXXXXX");
    return mkdtemp(root) == NULL;
}

static int remove_root(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", root);
    return system(command);
}

static struct host_description describe(void)
{
    struct host_description description;
    host_describe(&description, root);
    return description;
}

static void the_systems_name_comes_from_os_release(void **state)
{
    (void)state;
    static const char text[] = "NAME=Example\nPRETTY_NAME=\"Example \\\"X\\\" 12\"\nID=x\n";
    write_file("/etc/os-release", text, sizeof text - 1);
    assert_string_equal(describe().os, "Example \"X\" 12");
}

static void the_second_place_of_os_release_is_read(void **state)
{
    (void)state;
    static const char text[] = "PRETTY_NAME=Pla\xff\tin\n";
    write_file("/usr/lib/os-release", text, sizeof text - 1);
    assert_string_equal(describe().os, "Pla??in");
}

static void hardware_comes_from_the_device_tree_or_dmi(void **state)
{
    (void)state;
    write_file("/sys/class/dmi/id/sys_vendor", "ACME \n", 6);
    write_file("/sys/class/dmi/id/product_name", "Box\t1\n", 6);
    assert_string_equal(describe().hardware, "ACME Box?1");
    write_file("/proc/device-tree/model", "Board 4\0junk", 12);
    assert_string_equal(describe().hardware, "Board 4");
}

static void what_cannot_be_read_is_absent(void **state)
{
    (void)state;
    struct host_description description = describe();
    struct picket_wire_system_information information = host_system_information(&description);
    assert_null(information.os_info);
    assert_null(information.hw_info);
    assert_non_null(strstr(information.kernel_info, "Linux"));
}

static void clocks_tell_the_time(void **state)
{
    (void)state;
    assert_in_range(host_unix_time_s(NULL), 1700000000, UINT32_MAX - 1);
    assert_true(host_uptime_s(NULL) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_systems_name_comes_from_os_release, make_root,
                                        remove_root),
        cmocka_unit_test_setup_teardown(the_second_place_of_os_release_is_read, make_root,
                                        remove_root),
        cmocka_unit_test_setup_teardown(hardware_comes_from_the_device_tree_or_dmi, make_root,
                                        remove_root),
        cmocka_unit_test_setup_teardown(what_cannot_be_read_is_absent, make_root, remove_root),
        cmocka_unit_test(clocks_tell_the_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
