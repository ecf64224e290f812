/* A client that sends TLS messages and no data, as fast as it can: for test_malicious.py.
 *
 *   tls_flood PORT key-updates COUNT     TLS 1.3
 *
 * Prints how many went out; fewer than COUNT: the server has closed the connection. */
#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int connect_to(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        exit(2);
    return fd;
}

static long update_keys(SSL *ssl, long count)
{
    for (long sent = 0; sent < count; sent++)
        if (SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED) != 1 || SSL_do_handshake(ssl) != 1)
            return sent;
    return count;
}

int main(int argc, char **argv)
{
    if (argc != 4 || strcmp(argv[2], "key-updates") != 0)
        return 2;
    signal(SIGPIPE, SIG_IGN);
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(context);
    int fd = connect_to(atoi(argv[1]));
    if (SSL_set_fd(ssl, fd) != 1 || SSL_connect(ssl) != 1)
        return 2;
    printf("%ld\n", update_keys(ssl, atol(argv[3])));
    SSL_free(ssl);
    SSL_CTX_free(context);
    close(fd);
    return 0;
}
