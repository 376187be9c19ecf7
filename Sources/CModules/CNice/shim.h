#pragma once
#include <nice/agent.h>

// g_object_set is variadic, which Swift cannot call.
static inline void cnice_set_flag(NiceAgent *agent, const char *name, gboolean value) {
    g_object_set(agent, name, value, NULL);
}
static inline void cnice_set_number(NiceAgent *agent, const char *name, guint value) {
    g_object_set(agent, name, value, NULL);
}
static inline void cnice_set_text(NiceAgent *agent, const char *name, const char *value) {
    g_object_set(agent, name, value, NULL);
}

// Signals are connected through casts, each to a handler of its own shape.
typedef void (*cnice_state_handler)(NiceAgent *agent, guint stream, guint component, guint state, gpointer data);
typedef void (*cnice_candidate_handler)(NiceAgent *agent, NiceCandidate *candidate, gpointer data);
typedef void (*cnice_gathered_handler)(NiceAgent *agent, guint stream, gpointer data);
typedef void (*cnice_pair_handler)(
    NiceAgent *agent, guint stream, guint component, NiceCandidate *local, NiceCandidate *remote, gpointer data);

static inline void cnice_on_state(NiceAgent *agent, cnice_state_handler handler, gpointer data) {
    g_signal_connect(agent, "component-state-changed", G_CALLBACK(handler), data);
}
static inline void cnice_on_candidate(NiceAgent *agent, cnice_candidate_handler handler, gpointer data) {
    g_signal_connect(agent, "new-candidate-full", G_CALLBACK(handler), data);
}
static inline void cnice_on_gathered(NiceAgent *agent, cnice_gathered_handler handler, gpointer data) {
    g_signal_connect(agent, "candidate-gathering-done", G_CALLBACK(handler), data);
}
static inline void cnice_on_pair(NiceAgent *agent, cnice_pair_handler handler, gpointer data) {
    g_signal_connect(agent, "new-selected-pair-full", G_CALLBACK(handler), data);
}
static inline void cnice_ignore_signals(NiceAgent *agent, gpointer data) {
    g_signal_handlers_disconnect_by_data(agent, data);
}

// A source that says itself when it is due; files may be added to it. Its table of functions must live as long as it does.
typedef struct {
    GSource source;
    // Before each wait. Both say when the source is due in microseconds of the monotonic clock, -1 for never.
    gint64 (*prepare)(gpointer data);
    gint64 (*due)(gpointer data);
    void (*dispatch)(gpointer data);
    gpointer data;
} cnice_source;

static inline gboolean cnice_prepare(GSource *source, gint *timeout) {
    cnice_source *own = (cnice_source *)source;
    gint64 due = own->prepare(own->data), rest = due - g_source_get_time(source);
    *timeout = due < 0 ? -1 : rest <= 0 ? 0 : rest < G_MAXINT ? (gint)((rest + 999) / 1000) : G_MAXINT / 1000;
    return *timeout == 0;
}
static inline gboolean cnice_check(GSource *source) {
    cnice_source *own = (cnice_source *)source;
    gint64 due = own->due(own->data);
    return due >= 0 && due <= g_source_get_time(source);
}
static inline gboolean cnice_dispatch(GSource *source, GSourceFunc callback, gpointer data) {
    (void)callback, (void)data;
    cnice_source *own = (cnice_source *)source;
    own->dispatch(own->data);
    return G_SOURCE_CONTINUE;
}
static inline GSource *cnice_attach_source(
    GMainContext *context, gint64 (*prepare)(gpointer), gint64 (*due)(gpointer), void (*dispatch)(gpointer),
    gpointer data) {
    static GSourceFuncs functions = {.prepare = cnice_prepare, .check = cnice_check, .dispatch = cnice_dispatch};
    GSource *source = g_source_new(&functions, sizeof(cnice_source));
    cnice_source *own = (cnice_source *)source;
    own->prepare = prepare, own->due = due, own->dispatch = dispatch, own->data = data;
    g_source_set_can_recurse(source, TRUE);
    g_source_attach(source, context);
    return source;
}

// The length of the address that was written, which has the size of a sockaddr_storage.
static inline socklen_t cnice_copy_address(const NiceAddress *address, struct sockaddr_storage *to) {
    nice_address_copy_to_sockaddr(address, (struct sockaddr *)to);
    return nice_address_ip_version(address) == 6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}
