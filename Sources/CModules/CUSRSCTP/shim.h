#pragma once
#include <stdint.h>
#include <string.h>
#include <usrsctp.h>

// An enumerator behind a macro, which Swift does not see as a number.
static const int cusrsctp_end_of_message = MSG_EOR;

static inline struct sockaddr_conn cusrsctp_address(uintptr_t id, uint16_t port) {
    struct sockaddr_conn address = {.sconn_family = AF_CONN, .sconn_port = htons(port), .sconn_addr = (void *)id};
    return address;
}

// These end in an array of no given length, which Swift cannot see.
static inline int cusrsctp_reset_outgoing(struct socket *socket, uint16_t stream) {
    _Alignas(struct sctp_reset_streams) char bytes[sizeof(struct sctp_reset_streams) + sizeof(uint16_t)] = {0};
    struct sctp_reset_streams *request = (struct sctp_reset_streams *)bytes;
    request->srs_flags = SCTP_STREAM_RESET_OUTGOING;
    request->srs_number_streams = 1;
    memcpy(request->srs_stream_list, &stream, sizeof stream);
    return usrsctp_setsockopt(socket, IPPROTO_SCTP, SCTP_RESET_STREAMS, request, sizeof bytes);
}
static inline size_t cusrsctp_reset_count(const struct sctp_stream_reset_event *event) {
    return (event->strreset_length - sizeof *event) / sizeof(uint16_t);
}
static inline uint16_t cusrsctp_reset_stream(const struct sctp_stream_reset_event *event, size_t index) {
    return event->strreset_stream_list[index];
}
