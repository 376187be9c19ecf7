"""Every example message of the specification, sent as it stands there: each is answered in the form that stands there."""

import json
import time
from collections.abc import Callable

from harness.viewers import ViewerRefused
from harness.waiting import wait_until

from .device import Visitor
from .report import Skipped, check

TOPIC_REPLY = {"get_status": "status", "version": "info", "intercom": "status"}


class Examples:
    def __init__(self, url: str) -> None:
        self.url = url

    def visitor(self) -> Visitor:
        return Visitor(self.url)

    def all(self) -> list[tuple[str, str, Callable[[], str | None]]]:
        return [(name.removeprefix("section_").replace("_", "."), getattr(self, name).__doc__.rstrip("."),
                 getattr(self, name)) for name in dir(self) if name.startswith("section_")]

    def section_1_5(self) -> None:
        """Careless queries: order, unknown and repeated keys, private ones, stray characters."""
        visitor = self.visitor()
        for query in ("quality=&channel=0&action=live", "action=live&channel=0&quality=high&quality=bogus",
                      "action=live&_crypto=off&_token=x&_peername=y&requester=app-android-brand&req_id=1&user_args=a",
                      "action=Live&quality=HIGH", "action=live&channel=0}", "action=live&what=ever&crypto=false"):
            from harness.viewers import HTTPViewer
            with HTTPViewer(f"{self.url}/ipc.flv?{query}", headers=visitor.headers) as viewer:
                viewer.read_until(lambda tag: tag.is_picture)

    def section_2_1(self) -> None:
        """Every action of the table is answered with 200 or 404."""
        visitor = self.visitor()
        for action in ("live", "playback", "download", "live-mjpg", "live-audio", "playback-mjpg", "playback-audio"):
            try:
                visitor.watch(action, quality="standard").close()
            except ViewerRefused as refused:
                check(refused.status == 404, action, refused.status)

    def section_2_6(self) -> None:
        """live-mjpg: parts with a length, a part's head at the beginning of what arrives."""
        from harness.viewers import Connection
        visitor = self.visitor()
        connection = Connection(visitor.address("live-mjpg", quality="standard"), visitor.headers, None, 15)
        if connection.status == 404:
            raise Skipped("the device gives no single pictures")
        kind, _, boundary = connection.headers["content-type"].partition("; boundary=")
        check(connection.status == 200 and kind == "multipart/x-mixed-replace" and boundary, connection.headers)
        data = b""
        for _ in range(3):
            while b"\r\n\r\n" not in data:
                data += connection.receive()
            head, data = data.split(b"\r\n\r\n", 1)
            lines = head.decode().split("\r\n")
            check(lines[0] == f"--{boundary}", lines)
            length = int(next(line.split(":")[1] for line in lines if line.lower().startswith("content-length:")))
            while len(data) < length + 2:
                data += connection.receive()
            check(data[:2] == b"\xff\xd8" and data[length - 2:length] == b"\xff\xd9", "a whole JPEG picture")
            data = data[length + 2:]
        connection.socket.close()

    def section_3_2(self) -> None:
        """get_device_st with every type that viewers pass: [{"status":…,"appConnectNum":…}]."""
        visitor = self.visitor()
        for kind in ("live", "voice", "playback", "live-audio", "live-mjpg", "playback-audio", "playback-mjpg"):
            for quality in ("standard", "high", "super", ""):
                status, _ = visitor.state(kind, quality=quality)
                check(status in ("0", "1", "404", "405"), kind, quality, status)

    def section_3_3(self) -> None:
        """get_nvr_list with and without channel and name: DeviceName, Channel, Online."""
        for channel, more in ((None, {}), (0, {}), (0, {"nvr": "name"})):
            reply = self.visitor().inner("get_nvr_list", channel, **more)
            check(isinstance(reply, list), reply)
            for one in reply:
                check(set(one) == {"DeviceName", "Channel", "Online"}, one)
                check(one["Channel"].isdigit() and one["Online"] in ("0", "1"), one)

    def section_3_4(self) -> None:
        """get_month_record&time=202308: {"video_list":"…"}."""
        reply = self.recordings("get_month_record", time=202308)
        check(int(reply["video_list"]) < 1 << 31, reply)

    def section_3_5(self) -> None:
        """get_record_index: type, start_time and end_time of each."""
        now = int(time.time())
        for one in self.recordings("get_record_index", start_time=now - 86400, end_time=now, type=0)["video_list"]:
            check(isinstance(one.get("type", 0), int) and int(one["start_time"]) < int(one["end_time"]), one)

    def section_3_6(self) -> None:
        """get_file_list: file_type, file_name, file_size, start_time and end_time of each, in text."""
        now = int(time.time())
        reply = self.recordings("get_file_list", start_time=now - 86400, end_time=now, file_type=0)
        for one in reply["file_list"]:
            for key in ("file_type", "file_name", "file_size", "start_time", "end_time"):
                check(isinstance(one[key], str), one)

    def section_3_7(self) -> None:
        """playback_pause, _resume, _seek and _progress without a playback: 404."""
        for text in ("playback_pause", "playback_resume", "playback_progress", "playback_seek&progress=1000",
                     "playback_seek&time=1693456800", "playback_seek&time=12}"):
            reply = json.loads(self.visitor().send(f"action=inner_define&channel=0&cmd={text}"))
            check(reply["status"] in ("1", "404"), text, reply)

    def section_3_9(self) -> None:
        """playback_ff, _speed and _rewind are answered."""
        for text in ("playback_ff&speed=1", "playback_speed&speed=80", "playback_rewind&start_time=1&end_time=9"):
            reply = json.loads(self.visitor().send(f"action=inner_define&channel=0&cmd={text}"))
            check(reply["status"] in ("404", "406"), text, reply)

    def section_3_11(self) -> None:
        """Commands about calls are answered."""
        for word in ("answer", "hang_up", "reject", "cancel", "busy", "timeout"):
            check(self.visitor().inner(f"call_{word}")["status"] in ("0", "406"), word)
        for word in ("start", "cancel", "hangup", "timeout"):
            check(self.visitor().user(f"wx_call_{word}"), word)

    def section_3_12(self) -> None:
        """An unknown command is 406, a missing one 404."""
        check(self.visitor().inner("unknown") == {"status": "406"})
        for text in ("action=inner_define&channel=0", "action=inner_define&cmd=", "cmd=get_nvr_list", "&&&"):
            check(json.loads(self.visitor().send(text)) == {"status": "404"}, text)

    def section_4_2(self) -> None:
        """The PTZ message of the specification, its reply parses."""
        reply = self.visitor().user('{"topic":"ptz","data":{"cmd":"ptz_up_press"},"message_id":7}')
        check(reply["confirmation_topic"] == "ptz" and reply["message_id"] == 7 and "apex" in reply, reply)
        self.visitor().user('{"topic":"ptz","data":{"cmd":"ptz_release_pre"}}')

    def section_4_3(self) -> None:
        """The plain words for heads, also the old ones, are answered."""
        for prefix in ("ptz", "ballhead"):
            for word in ("left", "right", "up", "down", "top", "bottom"):
                check(self.visitor().send(f"action=user_define&channel=0&cmd={prefix}_{word}"))

    def section_4_4(self) -> None:
        """Every topic of the older panel is answered; those that are known in their form."""
        visitor = self.visitor()
        for topic, data in (("get_status", {"user": "owner"}), ("version", {}), ("upgrade", {"url": "x", "md5": "y"}),
                            ("Mirror_flip", {"mode": "flip"}), ("Mirror_flip", {"mode": "normal"}),
                            ("set_status", {"status": "working"}), ("bind_status", {"status": "success"}),
                            ("intercom", {}), ("get_status", {"user": "sharer"})):
            reply = visitor.topic(topic, data, number=41)
            if reply.get("result") == "0":
                check(reply["confirmation_topic"] == topic and reply["message_id"] == 41, reply)
                check(TOPIC_REPLY.get(topic, "result") in reply, reply)
            else:
                check(reply, topic)

    def section_4_4_privacy(self) -> None:
        """set_status standby: no picture, get_device_st says 1; working: as before."""
        visitor = self.visitor()
        with visitor.watch() as viewer:
            viewer.read_until(lambda tag: tag.is_picture)
            if visitor.topic("set_status", {"status": "standby"}).get("result") != "0":
                raise Skipped("the device has no privacy mode")
            try:
                from .points import check_ends
                check_ends(viewer)
                check(visitor.state("live")[0] == "1", "get_device_st in privacy mode")
                check(visitor.topic("get_status")["status"] == "standby")
                check(visitor.refusal("live") == 404, "live in privacy mode")
            finally:
                check(visitor.topic("set_status", {"status": "working"})["result"] == "0")
        wait_until(lambda: visitor.state("live")[0] == "0", "the device works again", 10)
        with visitor.watch() as viewer:
            viewer.read_until(lambda tag: tag.is_key_picture)

    def section_4_5(self) -> None:
        """What vendors' viewers send is answered, and executed by nobody."""
        for text in ("custom_cmd", "xxx", '{"quality":1,"sender":2}', "CHECK_ONLINE,1", "SET_SPEAKER_VOLUME,80",
                     "SET_LULLABY_PLAY,play,song", "$(reboot)", "`reboot`", "; reboot", "| cat /etc/passwd"):
            for encoded in (False, True):
                check(self.visitor().user(text, encoded=encoded) is not None, text)

    def recordings(self, cmd: str, **parameters: object) -> dict:
        reply = self.visitor().inner(cmd, **parameters)
        if reply == {"status": "406"}:
            raise Skipped("the device does not record")
        return reply
