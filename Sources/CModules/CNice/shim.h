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

// A source that only has a time at which it is ready. Its table of functions must live as long as it does.
static inline gboolean cnice_dispatch(GSource *source, GSourceFunc callback, gpointer data) {
    (void)source;
    return callback(data);
}
static inline GSource *cnice_timed_source(GMainContext *context, GSourceFunc callback, gpointer data) {
    static GSourceFuncs functions = {.dispatch = cnice_dispatch};
    GSource *source = g_source_new(&functions, sizeof(GSource));
    g_source_set_callback(source, callback, data, NULL);
    g_source_set_ready_time(source, -1);
    g_source_attach(source, context);
    return source;
}
