#include "base/utf8.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *text;
    size_t bytes; /* of the first character; 0: it is none */
    uint32_t code;
} characters[] = {
    {"a", 1, 'a'},
    {"\x7f", 1, 0x7f},
    {"\xc3\xa9", 2, 0xe9},
    {"\xe2\x82\xac", 3, 0x20ac},
    {"\xef\xbf\xbd", 3, 0xfffd},
    {"\xf0\x9f\x98\x80", 4, 0x1f600},
    {"\xf4\x8f\xbf\xbf", 4, 0x10ffff},
    {"\x80", 0, 0xfffd},
    {"\xc0\x80", 0, 0xfffd},         /* overlong */
    {"\xc1\xbf", 0, 0xfffd},         /* overlong */
    {"\xe0\x9f\xbf", 0, 0xfffd},     /* overlong */
    {"\xf0\x8f\xbf\xbf", 0, 0xfffd}, /* overlong */
    {"\xed\xa0\x80", 0, 0xfffd},     /* surrogate */
    {"\xf4\x90\x80\x80", 0, 0xfffd}, /* above U+10FFFF */
    {"\xf5\x80\x80\x80", 0, 0xfffd},
    {"\xff", 0, 0xfffd},
    {"\xc3", 0, 0xfffd}, /* cut off */
    {"\xe2\x82", 0, 0xfffd},
    {"\xe2\x82x", 0, 0xfffd},
};

START_TEST(characters_are_told_from_other_bytes)
{
    const char *text = characters[_i].text;
    size_t n = strlen(text);
    size_t bytes = characters[_i].bytes;
    uint32_t c = 0;

    ck_assert_uint_eq(ens_utf8_bytes(text, n), bytes);
    ck_assert_uint_eq(ens_utf8_next(text, n, &c), bytes == 0 ? 1 : bytes);
    ck_assert_uint_eq(c, characters[_i].code);
}
END_TEST

START_TEST(characters_are_counted)
{
    ck_assert_uint_eq(ens_utf8_count("", 0), 0);
    ck_assert_uint_eq(ens_utf8_count("na\xc3\xafve \xff\xe2\x82\xac", 11), 8);
}
END_TEST

static const struct {
    const char *name, *shown;
} names[] = {
    {"", ""},
    {"a b-\xc3\xa4\xe2\x82\xac", "a b-\xc3\xa4\xe2\x82\xac"},
    {"a\nb\x7f", "a\\x0ab\\x7f"},
    {"\x1b[2J", "\\x1b[2J"},
    {"\xff\xc3", "\\xff\\xc3"},
    {"\\x41", "\\x5cx41"},
    {"\xc2\x9b", "\\xc2\\x9b"},
    {"abcdefghijklmnopqrs", "abcdefghijklmnop..."},
    {"abcdefghijklm\nxyz", "abcdefghijklm..."},
};

START_TEST(names_are_shown_on_one_line)
{
    char to[20];
    const char *name = names[_i].name;

    ck_assert_str_eq(ens_utf8_show(to, sizeof(to), name, strlen(name)),
                     names[_i].shown);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("utf8");
    TCase *t = tcase_create("utf8");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_loop_test(t, characters_are_told_from_other_bytes, 0,
                        sizeof(characters) / sizeof(characters[0]));
    tcase_add_test(t, characters_are_counted);
    tcase_add_loop_test(t, names_are_shown_on_one_line, 0,
                        sizeof(names) / sizeof(names[0]));
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
