#include "DelayedLibrary.h"

#define CRYPTO_FUNCTIONS(F) \
    F(ASN1_INTEGER_set_uint64) F(BIO_ctrl) F(BIO_ctrl_pending) F(BIO_free) F(BIO_get_data) F(BIO_get_new_index) \
    F(BIO_meth_free) F(BIO_meth_new) F(BIO_meth_set_ctrl) F(BIO_meth_set_write) F(BIO_new) F(BIO_new_mem_buf) \
    F(BIO_read) F(BIO_s_mem) F(BIO_set_data) F(BIO_set_init) F(BIO_write) F(ERR_clear_error) F(ERR_error_string_n) \
    F(ERR_get_error) F(EVP_Digest) F(EVP_PKEY_Q_keygen) F(EVP_PKEY_free) F(EVP_md5) F(EVP_sha1) F(EVP_sha256) F(EVP_sha384) F(EVP_sha512) F(HMAC) \
    F(PEM_read_bio_PrivateKey) F(PEM_read_bio_X509) F(PEM_write_bio_PrivateKey) F(PEM_write_bio_X509) \
    F(X509_NAME_add_entry_by_txt) F(X509_check_private_key) F(X509_digest) F(X509_free) F(X509_get_serialNumber) \
    F(X509_get_subject_name) F(X509_getm_notAfter) F(X509_getm_notBefore) F(X509_gmtime_adj) F(X509_new) \
    F(X509_set_issuer_name) F(X509_set_pubkey) F(X509_set_version) F(X509_sign)
DELAYED_LIBRARY(delayed_crypto, "libcrypto.so.3", CRYPTO_FUNCTIONS)

#define SSL_FUNCTIONS(F) \
    F(DTLS_method) F(DTLS_set_timer_cb) F(SSL_CTX_ctrl) F(SSL_CTX_free) F(SSL_CTX_new) F(SSL_CTX_set_cipher_list) \
    F(SSL_CTX_set_options) F(SSL_CTX_set_tlsext_use_srtp) F(SSL_CTX_set_verify) F(SSL_CTX_use_PrivateKey) \
    F(SSL_CTX_use_certificate) F(SSL_ctrl) F(SSL_do_handshake) F(SSL_free) F(SSL_get1_peer_certificate) \
    F(SSL_get_error) F(SSL_has_pending) F(SSL_new) F(SSL_read) F(SSL_set_accept_state) F(SSL_set_bio) F(SSL_set_connect_state) \
    F(SSL_shutdown) F(SSL_write)
DELAYED_LIBRARY(delayed_ssl, "libssl.so.3", SSL_FUNCTIONS)
