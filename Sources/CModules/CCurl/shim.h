#pragma once
#include <curl/curl.h>
#include <dlfcn.h>
#include <stdbool.h>

// libcurl and the thirty libraries it brings cost eight megabytes of memory from the start, and few devices ever upload:
// so it is opened when it is first wanted.
static inline void *ccurl_symbol(const char *name) {
    static void *library;
    if (!library) library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    return library ? dlsym(library, name) : NULL;
}

// False where libcurl is not there; nothing else may be called then.
static inline bool ccurl_start(void) {
    CURLcode (*start)(long) = (CURLcode (*)(long))ccurl_symbol("curl_global_init");
    return start && start(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}
static inline CURL *ccurl_init(void) { return ((CURL *(*)(void))ccurl_symbol("curl_easy_init"))(); }
static inline void ccurl_cleanup(CURL *handle) { ((void (*)(CURL *))ccurl_symbol("curl_easy_cleanup"))(handle); }
static inline CURLcode ccurl_perform(CURL *handle) {
    return ((CURLcode (*)(CURL *))ccurl_symbol("curl_easy_perform"))(handle);
}
static inline const char *ccurl_error(CURLcode code) {
    return ((const char *(*)(CURLcode))ccurl_symbol("curl_easy_strerror"))(code);
}

// curl_easy_setopt takes any type, which Swift cannot call.
typedef CURLcode (*ccurl_setter)(CURL *, CURLoption, ...);
static inline ccurl_setter ccurl_set(void) { return (ccurl_setter)ccurl_symbol("curl_easy_setopt"); }
static inline CURLcode ccurl_set_number(CURL *handle, CURLoption option, long value) {
    return ccurl_set()(handle, option, value);
}
static inline CURLcode ccurl_set_large(CURL *handle, CURLoption option, curl_off_t value) {
    return ccurl_set()(handle, option, value);
}
// Takes a copy of the text.
static inline CURLcode ccurl_set_text(CURL *handle, CURLoption option, const char *value) {
    return ccurl_set()(handle, option, value);
}
static inline CURLcode ccurl_set_pointer(CURL *handle, CURLoption option, void *value) {
    return ccurl_set()(handle, option, value);
}
static inline CURLcode ccurl_set_read(CURL *handle, curl_read_callback callback) {
    return ccurl_set()(handle, CURLOPT_READFUNCTION, callback);
}
static inline CURLcode ccurl_set_seek(CURL *handle, curl_seek_callback callback) {
    return ccurl_set()(handle, CURLOPT_SEEKFUNCTION, callback);
}
static inline CURLcode ccurl_set_progress(CURL *handle, curl_xferinfo_callback callback) {
    return ccurl_set()(handle, CURLOPT_XFERINFOFUNCTION, callback);
}
