/* picket ca add | list | show | remove */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "command.h"
#include "file.h"
#include "page.h"
#include "request.h"
#include "table.h"
#include "text.h"

enum { FILE_BYTES_MAX = 64 * 1024, LABEL_COLUMN = 12 };

/* ---- add ---- */

/* DER as PEM, which is what goes to the server; everything else as it is, for the server to judge.
 */
static json_t *certificate_text(const char *content, size_t size_bytes)
{
    const unsigned char *der = (const unsigned char *)content;
    X509 *certificate = d2i_X509(NULL, &der, (long)size_bytes);
    BIO *pem = BIO_new(BIO_s_mem());
    char *text;
    json_t *value = NULL;
    if (certificate && pem && PEM_write_bio_X509(pem, certificate) == 1)
        value = json_stringn(text, (size_t)BIO_get_mem_data(pem, &text));
    else if (strlen(content) == size_bytes)
        value = json_string(content);
    BIO_free(pem);
    X509_free(certificate);
    ERR_clear_error();
    return value;
}

static void print_ca(const json_t *ca)
{
    char when[32];
    page_line("ca", LABEL_COLUMN, "%s", member_text(ca, "name"));
    page_line("subject", LABEL_COLUMN, "%s", member_shown(ca, "subject"));
    page_line("issuer", LABEL_COLUMN, "%s", member_shown(ca, "issuer"));
    page_line("key", LABEL_COLUMN, "%s", member_shown(ca, "key"));
    page_line("valid from", LABEL_COLUMN, "%s", text_time(member_time(ca, "valid_from"), when));
    page_line("until", LABEL_COLUMN, "%s%s", text_time(member_time(ca, "valid_until"), when),
              member_true(ca, "expired") ? "  EXPIRED" : "");
    page_line("SHA-256", LABEL_COLUMN, "%s", member_shown(ca, "sha256"));
    page_line("added", LABEL_COLUMN, "%s", text_time(member_time(ca, "added"), when));
}

/* What is sent of the CA; NULL after saying why. */
static json_t *ca_body(const char *name, const char *path)
{
    char *content;
    size_t size_bytes;
    struct picket_error error;
    if (file_read(path, FILE_BYTES_MAX, &content, &size_bytes, &error) != PICKET_OK) {
        complain("%s", error.text);
        return NULL;
    }
    json_t *certificate = certificate_text(content, size_bytes);
    free(content);
    json_t *body = json_pack("{s:s, s:o}", "name", name, "certificate", certificate);
    if (!body)
        complain(certificate ? "the name is not UTF-8"
                             : "%s: holds no certificate, neither in PEM nor in DER",
                 path);
    return body;
}

static int run_add(const struct command *command, int argc, char **argv)
{
    const char *socket_path = NULL;
    bool as_json = false;
    const struct option_spec options[] = {
        {"json", OPTION_FLAG, &as_json, NULL, "print a JSON object"},
        OPTION_SOCKET(socket_path),
        {0}};
    struct operands operands;
    struct client_url url;
    int result;
    if (!command_parse(command, options, argc, argv, &operands, &result))
        return result;
    json_t *body = ca_body(operands.words[0], operands.words[1]);
    if (!body)
        return EXIT_FAILED;
    client_url(&url, "/v1/authorities", NULL);
    return client_change(socket_path, "POST", &url, body, as_json, print_ca);
}

const struct command command_ca_add = {
    "ca add", "NAME FILE", "Lets in devices with certificates of this CA",
    "FILE holds the CA's certificate, root or intermediate, in PEM or DER; - is\n"
    "standard input. It is looked at: one certificate, of a CA, not expired, with a\n"
    "key of at least 112 bits of security. Devices are enrolled with\n"
    "`picket device add ID --x509-ca`; an intermediate CA between them and this one\n"
    "they send along themselves.\n"
    "\n"
    "  picket ca add plant-a plant-a-root.crt\n",
    run_add};

/* ---- list and show ---- */

static void print_cas(const json_t *cas)
{
    static const struct table_column columns[] = {
        {"NAME", .cut_to = 0},
        {"SUBJECT", .cut_to = 34},
        {"UNTIL", .cut_to = 0},
        {"KEY", .leave_out = 2},
        {"SHA-256", .cut_to = 16, .leave_out = 1},
    };
    struct table table;
    char when[32];
    size_t index;
    json_t *ca;
    table_begin(&table, "CA certificates", columns, 5);
    json_array_foreach(cas, index, ca)
    {
        table_cell(&table, "%s", member_text(ca, "name"));
        table_cell(&table, "%s", member_shown(ca, "subject"));
        table_cell(&table, "%s%s", text_time(member_time(ca, "valid_until"), when),
                   member_true(ca, "expired") ? " EXPIRED" : "");
        table_cell(&table, "%s", member_shown(ca, "key"));
        table_cell(&table, "%s", member_shown(ca, "sha256"));
    }
    table_end(&table);
}

static int run_list(const struct command *command, int argc, char **argv)
{
    static const struct request request = {.method = "GET",
                                           .path = "/v1/authorities",
                                           .member = "authorities",
                                           .json_help = "print a JSON array",
                                           .print = print_cas};
    return request_run(command, argc, argv, &request);
}

const struct command command_ca_list = {"ca list", "", "Lists the CAs whose devices may come",
                                        "  picket ca list\n", run_list};

static int run_show(const struct command *command, int argc, char **argv)
{
    static const struct request request = {.method = "GET",
                                           .path = "/v1/authorities/{name}",
                                           .json_help = "print a JSON object, with the certificate",
                                           .print = print_ca};
    return request_run(command, argc, argv, &request);
}

const struct command command_ca_show = {"ca show", "NAME", "Shows a CA's certificate",
                                        "  picket ca show plant-a\n"
                                        "  picket ca show plant-a --json | jq -r .certificate\n",
                                        run_show};

/* ---- remove ---- */

static int run_remove(const struct command *command, int argc, char **argv)
{
    static const struct request request = {.method = "DELETE", .path = "/v1/authorities/{name}"};
    return request_run(command, argc, argv, &request);
}

const struct command command_ca_remove = {"ca remove", "NAME",
                                          "Lets devices of this CA in no longer",
                                          "Connections that were made by it end at once.\n"
                                          "\n"
                                          "  picket ca remove plant-a\n",
                                          run_remove};
