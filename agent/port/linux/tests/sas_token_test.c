#include "testing.h"

#include "sas_token.h"

/* The token as Python's own HMAC, Base64 and URL encoding make it. */
static void token_of_python(const char *host, const char *device, const char *key,
                            long long expiry_s, char *out, size_t size_bytes)
{
    static const char script[] =
        "import base64,hashlib,hmac,sys,urllib.parse as u;"
        "h,d,k,e=sys.argv[1:];"
        "r=u.quote(h+'/devices/'+d,safe='');"
        "s=base64.b64encode(hmac.new(base64.b64decode(k),(r+'\\n'+e).encode(),hashlib.sha256)."
        "digest());"
        "print('SharedAccessSignature sr='+r+'&sig='+u.quote(s,safe='')+'&se='+e,end='')";
    char command[2048];
    snprintf(command, sizeof command, "/usr/bin/python3 -c \"%s\" '%s' '%s' '%s' %lld", script,
             host, device, key, expiry_s);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    size_t got = fread(out, 1, size_bytes - 1, pipe);
    out[got] = '\0';
    assert_int_equal(pclose(pipe), 0);
}

static void tokens_equal_an_independent_computation(void **state)
{
    (void)state;
    static const char key[] = "cGlja2V0LXRlc3Qta2V5LTAxMjM0NTY3ODlhYmNkZWY=";
    static const struct {
        const char *host;
        const char *device;
        long long expiry_s;
    } cases[] = {
        {"hub.example.net", "pump-7", 1795046400},
        {"127.0.0.1", "a%b:c,d=e@f$g!(h)*?", 1},
        {"::1", "_._", 4102444800},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[512], expected[SAS_TOKEN_BYTES], token[SAS_TOKEN_BYTES];
        struct connection_string device;
        snprintf(text, sizeof text, "HostName=%s;DeviceId=%s;SharedAccessKey=%s", cases[i].host,
                 cases[i].device, key);
        assert_int_equal(connection_string_parse(&device, text, NULL), PICKET_OK);
        assert_int_equal(sas_token_make(&device, cases[i].expiry_s, token, NULL), PICKET_OK);
        token_of_python(cases[i].host, cases[i].device, key, cases[i].expiry_s, expected,
                        sizeof expected);
        assert_string_equal(token, expected);
    }
}

static void the_longest_names_fit(void **state)
{
    (void)state;
    struct connection_string device = {.key = "key", .key_bytes = 3};
    char token[SAS_TOKEN_BYTES];
    memset(device.host_name, ':', HOST_NAME_BYTES_MAX);
    memset(device.device_id, '$', DEVICE_ID_BYTES_MAX);
    assert_int_equal(sas_token_make(&device, INT64_MAX, token, NULL), PICKET_OK);
    assert_non_null(strstr(token, "&se=9223372036854775807"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_equal_an_independent_computation),
        cmocka_unit_test(the_longest_names_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
