#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "identity/sas.h"
#include "identity/user_name.h"

/* Signatures computed with Python's hmac and hashlib, the key being the bytes 0 to 31. */
static const struct {
    const char *resource, *expiry, *signature;
} vectors[] = {
    {"hub.example%2Fdevices%2Fpump-7", "1767225600",
     "Zv6vVipL%2F6LUe3htTsPnHvL0le%2BnBP9%2F0cR2icA7UgE%3D"},
    {"hub.example%2fdevices%2fpump-7", "1767225600",
     "56pBdYuX3gHjAtHR9HLXZfUzPMSVLpUvfj4NskcgJE8%3D"},
    {"hub.example/devices/pump-7", "32503680000",
     "jIXrofIvcs4lN6%2FKy56IHtw6xSTpowmES0GvSo4zrrY%3D"},
    {"hub.example%2Fdevices%2Fpump-7%2Fmodules%2Fvision", "1767225600",
     "9%2FwDC%2Fkda9J8Q9xhhPQH09JOmy3gfGJ1rOLVR9GW7BY%3D"},
};
enum { VECTORS = sizeof vectors / sizeof vectors[0] };

static void key_of_vectors(uint8_t key[32])
{
    for (int i = 0; i < 32; i++)
        key[i] = (uint8_t)i;
}

static void tokens_signed_elsewhere_are_recognised_with_their_fields_in_any_order(void **state)
{
    static const char *const orders[] = {"SharedAccessSignature sr=%1$s&sig=%2$s&se=%3$s",
                                         "SharedAccessSignature se=%3$s&sr=%1$s&sig=%2$s",
                                         "SharedAccessSignature sig=%2$s&se=%3$s&sr=%1$s&skn=",
                                         "SharedAccessSignature sig=%2$s&x=y&se=%3$s&sr=%1$s"};
    uint8_t key[32];
    (void)state;
    key_of_vectors(key);
    for (size_t i = 0; i < VECTORS; i++) {
        for (size_t o = 0; o < sizeof orders / sizeof orders[0]; o++) {
            char text[512];
            struct sas_token token;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            snprintf(text, sizeof text, orders[o], vectors[i].resource, vectors[i].signature,
                     vectors[i].expiry);
#pragma GCC diagnostic pop
            assert_null(sas_parse(&token, slice_of(text)));
            assert_true(sas_is_signed_with(&token, key, sizeof key));
        }
    }
}

static void one_bit_of_key_resource_or_expiry_makes_the_signature_wrong(void **state)
{
    uint8_t key[32];
    (void)state;
    for (size_t i = 0; i < VECTORS; i++) {
        char text[512];
        struct sas_token token;
        snprintf(text, sizeof text, "SharedAccessSignature sr=%s&se=%s&sig=%s", vectors[i].resource,
                 vectors[i].expiry, vectors[i].signature);
        for (size_t bit = 0; bit < 256; bit++) {
            key_of_vectors(key);
            key[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_null(sas_parse(&token, slice_of(text)));
            assert_false(sas_is_signed_with(&token, key, sizeof key));
        }
        key_of_vectors(key);
        assert_false(sas_is_signed_with(&token, key, 31));
        assert_false(sas_is_signed_with(&token, key, 0));
        token.resource.size--;
        assert_false(sas_is_signed_with(&token, key, sizeof key));
        token.resource.size++;
        token.expiry.size--;
        assert_false(sas_is_signed_with(&token, key, sizeof key));
    }
}

static void tokens_that_are_none_are_refused_with_a_reason(void **state)
{
    static const char good_signature[] = "Zv6vVipL%2F6LUe3htTsPnHvL0le%2BnBP9%2F0cR2icA7UgE%3D";
    static const char *const bad[] = {"",
                                      "SharedAccessSignature",
                                      "sharedaccesssignature sr=a&sig=b&se=1",
                                      "SharedAccessSignature &&&=&",
                                      "SharedAccessSignature sr=a&se=1",
                                      "SharedAccessSignature sr=a&sig=%s",
                                      "SharedAccessSignature se=1&sig=%s",
                                      "SharedAccessSignature sr=a&se=-1&sig=%s",
                                      "SharedAccessSignature sr=a&se=1.5&sig=%s",
                                      "SharedAccessSignature sr=a&se=9999999999999999&sig=%s",
                                      "SharedAccessSignature sr=a&se=1&sig=%s&se=2",
                                      "SharedAccessSignature sr=a&sr=a&se=1&sig=%s",
                                      "SharedAccessSignature sr=a&se=&sig=%s",
                                      "SharedAccessSignature sr=a&se=1&sig=A%s",
                                      "SharedAccessSignature sr=a&se=1&sig=%s%%3D",
                                      "SharedAccessSignature sr=a&se=1&sig=%%"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[512];
        struct sas_token token;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(text, sizeof text, bad[i], good_signature);
#pragma GCC diagnostic pop
        assert_non_null(sas_parse(&token, slice_of(text)));
    }
}

static void a_token_covers_its_own_device_and_nothing_else(void **state)
{
    static const struct {
        const char *resource, *device, *module;
        bool covered;
    } cases[] = {
        {"hub.example/devices/pump-7", "pump-7", "", true},
        {"HUB.Example%2Fdevices%2Fpump-7", "pump-7", "", true},
        {"hub.example%2fdevices%2fpump-7", "pump-7", NULL, true},
        {"hub.example/devices/pump-7/", "pump-7", "", true},
        {"hub.example/devices/pump-7/messages/events", "pump-7", "", true},
        {"hub.example/devices/pump-7?api-version=1", "pump-7", "", true},
        {"hub.example%2Fdevices%2Fpump-7", "pump-7", "vision", true},
        {"hub.example%2Fdevices%2Fpump-7%2Fmodules%2Fvision", "pump-7", "vision", true},
        {"hub.example%2Fdevices%2Fa%2528b", "a(b", "", true}, /* Node encodes the id, then all */
        {"hub.example/devices/a%41", "a%41", "", true},
        {"hub.example%2Fdevices%2Fpump-7%2Fmodules%2Fvision", "pump-7", "other", false},
        {"hub.example%2Fdevices%2Fpump-7%2Fmodules%2Fvision", "pump-7", "", false},
        {"hub.example%2Fdevices%2Fpump-7%2Fmodules", "pump-7", "", false},
        {"hub.example/devices/pump-7", "pump-77", "", false},
        {"hub.example/devices/pump-77", "pump-7", "", false},
        {"hub.example/devices/PUMP-7", "pump-7", "", false},
        {"hub.example.evil/devices/pump-7", "pump-7", "", false},
        {"hub.exampl/devices/pump-7", "pump-7", "", false},
        {"hub.example/modules/pump-7", "pump-7", "", false},
        {"hub.example", "pump-7", "", false},
        {"hub.example/devices/", "pump-7", "", false},
        {"hub.example/devices", "pump-7", "", false},
        {"hub.example%2Fdevices%2Fpump-7%", "pump-7", "", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sas_token token = {.resource = slice_of(cases[i].resource)};
        if (sas_covers(&token, "hub.example", cases[i].device, cases[i].module) != cases[i].covered)
            fail_msg("%s for %s", cases[i].resource, cases[i].device);
    }
}

static void user_names_are_taken_apart(void **state)
{
    static const struct {
        const char *text, *device, *module, *query;
    } cases[] = {
        {"h/d/?api-version=2021-04-12", "d", "", "api-version=2021-04-12"},
        {"h/d/m/?api-version=2021-04-12&a=b/c", "d", "m", "api-version=2021-04-12&a=b/c"},
        {"h/d/api-version=2016-11-14", "d", "", "api-version=2016-11-14"},
        {"h/d", "d", "", ""},
        {"h/d/", "d", "", ""},
        {"h/d/m", "d", "m", ""},
        {"h/d/m/", "d", "m", ""},
        {"h/d/?", "d", "", ""},
        {"", NULL, NULL, NULL},
        {"h", NULL, NULL, NULL},
        {"h/", NULL, NULL, NULL},
        {"/d", NULL, NULL, NULL},
        {"h/d/m/x", NULL, NULL, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct user_name name;
        const char *wrong = user_name_parse(&name, slice_of(cases[i].text));
        if ((wrong == NULL) != (cases[i].device != NULL))
            fail_msg("\"%s\": %s", cases[i].text, wrong != NULL ? wrong : "accepted");
        if (wrong != NULL)
            continue;
        assert_true(slice_equals(name.host, "h") && slice_equals(name.device, cases[i].device) &&
                    slice_equals(name.module, cases[i].module) &&
                    slice_equals(name.query, cases[i].query));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_signed_elsewhere_are_recognised_with_their_fields_in_any_order),
        cmocka_unit_test(one_bit_of_key_resource_or_expiry_makes_the_signature_wrong),
        cmocka_unit_test(tokens_that_are_none_are_refused_with_a_reason),
        cmocka_unit_test(a_token_covers_its_own_device_and_nothing_else),
        cmocka_unit_test(user_names_are_taken_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
