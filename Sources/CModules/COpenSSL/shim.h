#pragma once
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/time.h>

// What is a macro there.
static inline int copenssl_set_minimum_version(SSL_CTX *context, int version) {
    return SSL_CTX_set_min_proto_version(context, version);
}
// Datagrams whose size is known, and nothing of what connections that are taken up again need.
static inline void copenssl_configure_datagrams(SSL_CTX *context) {
    SSL_CTX_set_options(context, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_read_ahead(context, 1);
}
static inline void copenssl_set_link_mtu(SSL *ssl, long mtu) { DTLS_set_link_mtu(ssl, mtu); }
static inline void copenssl_empty_means_retry(BIO *bio) { BIO_set_mem_eof_return(bio, -1); }
// Milliseconds until the next retransmission is due; -1 where none is.
static inline long copenssl_timeout(SSL *ssl) {
    struct timeval time = {0, 0};
    if (!DTLSv1_get_timeout(ssl, &time)) return -1;
    return time.tv_sec * 1000 + (time.tv_usec + 999) / 1000;
}
static inline int copenssl_handle_timeout(SSL *ssl) { return (int)DTLSv1_handle_timeout(ssl); }
static inline EVP_PKEY *copenssl_make_p256_key(void) { return EVP_EC_gen("P-256"); }
