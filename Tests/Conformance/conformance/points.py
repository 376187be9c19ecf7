"""The 17 points of the specification's section 11.3. A method's first line is the point's title; what the specification
leaves open and EdgeAgent has chosen is marked in Documentation/Signalling.md."""

import contextlib
import datetime
import json
import time
from collections.abc import Callable
from urllib.parse import quote

from harness import flv
from harness.flv import Tag
from harness.viewers import HTTPViewer, StreamEnded, ViewerRefused
from harness.waiting import wait_until

from .device import Talk, Visitor, arrivals
from .report import Skipped, check

QUALITIES = ("standard", "high", "super")
MOST_VIEWERS = 200
"""No more are opened to find the cap."""


class Points:
    def __init__(self, url: str, visitor: Callable[[str], Visitor] = Visitor) -> None:
        self.url = url
        self.make_visitor = visitor
        channels = self.visitor().inner("get_nvr_list", channel=None)
        self.channels = [int(one["Channel"]) for one in channels] or [0]

    def visitor(self) -> Visitor:
        return self.make_visitor(self.url)

    def all(self) -> list[tuple[int, str, Callable[[], str | None]]]:
        found = []
        for number in range(1, 18):
            method = getattr(self, f"point_{number}")
            found.append((number, method.__doc__.split("\n")[0].rstrip("."), method))
        return found

    # State.

    def point_1(self) -> None:
        """get_device_st for live, voice and playback: one object, status "0", a number in text."""
        visitor = self.visitor()
        lacking = []
        for kind in ("live", "voice", "playback"):
            status, count = visitor.state(kind, quality="standard")
            check(count >= 1, "who asks is counted")
            if status == "404" and kind != "live":
                lacking.append(kind)
            else:
                check(status == "0", kind, status)
        if lacking:
            raise Skipped(f"the device has no {' and no '.join(lacking)}")

    def point_2(self) -> None:
        """The same with careless and wrong parameters."""
        visitor = self.visitor()
        for kind, status in (("", "404"), ("nonsense", "404"), ("Live", "0"), ("LIVE", "0")):
            check(visitor.state(kind, quality="high")[0] == status, kind)
        check(visitor.state("live")[0] == "0", "no quality")
        check(visitor.state("live", quality="")[0] == "0", "an empty quality")
        check(visitor.state("live", quality="bogus")[0] == "404", "an unknown quality")
        check(visitor.state("live", channel=99)[0] == "404", "channel 99")
        # A misspelt key is an unknown one.
        check(visitor.state("live", qualtity="bogus")[0] == "0", "qualtity")

    # Live.

    def point_3(self) -> None:
        """Live with each quality: key frame first, time stamps from 0, AAC configuration."""
        visitor = self.visitor()
        granted = 0
        for quality in QUALITIES:
            try:
                with visitor.watch(quality=quality) as viewer:
                    check(viewer.headers["content-type"] == "video/x-flv", viewer.headers)
                    check("content-length" not in viewer.headers, "a live stream has no length")
                    check_beginning(viewer.read_seconds(2))
                granted += 1
            except ViewerRefused as refused:
                check(refused.status == 404 and quality != "high", quality, refused)
        check(granted, "no quality is there")

    def point_4(self) -> None:
        """Live without anything else plays; an unknown quality is 404 and harms nothing."""
        visitor = self.visitor()
        with visitor.watch(channel=None) as viewer:
            check_beginning(viewer.read_seconds(1))
            check(visitor.refusal("live", quality="bogus") == 404)
            check(visitor.state("live")[0] == "0", "a command after the refusal")
            check(arrivals(viewer, 1), "the other stream goes on")
        for parameters in ({"channel": 99}, {"channel": "x"}):
            check(visitor.refusal("live", **parameters) == 404, parameters)
        check(visitor.refusal("nonsense") == 404 and visitor.refusal("") == 404, "unknown actions")

    def point_5(self) -> str:
        """One viewer more than the cap: 503, get_device_st says 405 with the true count; after one leaves, 0."""
        with contextlib.ExitStack() as viewers:
            cap = 0
            asker = self.visitor()
            while cap < MOST_VIEWERS:
                visitor = self.visitor()
                try:
                    viewer = viewers.enter_context(visitor.watch(quality="standard"))
                    last = (visitor, viewer)
                except ViewerRefused as refused:
                    check(refused.status == 503, refused)
                    break
                cap += 1
                check(asker.state("live")[1] == cap + 1, "the count is true at all times, who asks included")
            if cap == MOST_VIEWERS:
                raise Skipped(f"the cap is above {MOST_VIEWERS}")
            check(asker.state("live") == ("405", cap + 1), asker.state("live"), "with", cap, "viewers")
            # Who watches may change what it watches, and is never told 405.
            check(last[0].state("live") == ("0", cap), last[0].state("live"))
            with last[0].watch(quality="high") as again:
                again.read_until(lambda tag: tag.is_key_picture)
                last[1].close()
            wait_until(lambda: asker.state("live") == ("0", cap), f"a place is free, {asker.state('live')}", 15)
            with asker.watch(quality="standard") as viewer:
                viewer.read_until(lambda tag: tag.is_key_picture)
        wait_until(lambda: self.visitor().state("live") == ("0", 1), "all have left", 15)
        return f"the cap is {cap}"

    # Recordings.

    def point_6(self) -> None:
        """get_month_record: the mask has exactly the days of the recordings; a month with none is "0"."""
        visitor = self.visitor()
        visitor.closed_files(1)
        now = datetime.datetime.now()
        reply = visitor.inner("get_month_record", time=now.strftime("%Y%m"))
        check(list(reply) == ["video_list"] and isinstance(reply["video_list"], str), reply)
        days = {moment for file in visitor.files() for moment in
                map(datetime.datetime.fromtimestamp, (file.start, file.end))}
        wanted = sum({1 << (day.day - 1) for day in days if (day.year, day.month) == (now.year, now.month)})
        # Footage that is too short to be listed may be there besides.
        check(int(reply["video_list"]) & wanted == wanted, reply, "but files of", bin(wanted))
        check(visitor.inner("get_month_record", time="200002") == {"video_list": "0"})

    def point_7(self) -> None:
        """get_record_index and get_file_list for a day: the same segments, exact sizes."""
        visitor = self.visitor()
        files = visitor.closed_files(1)
        day = {"start_time": files[0].start - 43200, "end_time": files[-1].start}
        index = visitor.inner("get_record_index", **day)["video_list"]
        listed = visitor.inner("get_file_list", **day, file_type=0)["file_list"]
        check(listed, "nothing is listed")
        check([one["start_time"] for one in index] == [one["start_time"] for one in listed], "the same segments")
        check([int(one["start_time"]) for one in index] == sorted(int(one["start_time"]) for one in index), "in order")
        for one in listed:
            check(one["file_type"] == "0", "file_type is the text 0")
            check(int(one["end_time"]) - int(one["start_time"]) >= 5, "none is under 5 s", one)
        for file in files:
            check(len(visitor.download(file.name)[1]) == file.bytes, "file_size is exact", file)
        check(visitor.inner("get_file_list", **day, file_type=1) == {"file_list": []}, "there are no pictures")
        check(visitor.inner("get_record_index", start_time=1, end_time=100) == {"video_list": []})

    def point_8(self) -> None:
        """Playback to the end: a clean end; ranges under 5 s, reversed, empty or missing: 404."""
        visitor = self.visitor()
        (file,) = visitor.closed_files(1)
        started = time.monotonic()
        with visitor.play(file.end - 6, file.end) as viewer:
            tags = drain(viewer)
            check_beginning(tags)
            check(viewer.has_ended, "the response ends, it does not break off")
        span = (tags[-1].timestamp - tags[0].timestamp) / 1000
        check(span > 4, "the whole range", span)
        # What lies before the first second, up to a group of pictures, may come at once.
        check(time.monotonic() - started > 5, "paced in real time")
        for start, end in ((file.start, file.start + 4), (file.end, file.start), (1000, 2000), ("", "")):
            check(visitor.refusal("playback", start_time=start, end_time=end) == 404, start, end)
        check(visitor.refusal("playback") == 404, "no times")

    def point_9(self) -> None:
        """Pause, resume, seek in both dialects, progress within a group of pictures."""
        visitor = self.visitor()
        first, last = visitor.closed_files(2)
        with visitor.play(first.start, last.end) as viewer:
            viewer.read_seconds(1)
            check(visitor.inner("playback_pause") == {"status": "0"})
            arrivals(viewer, 1)
            before = visitor.position()
            check(not arrivals(viewer, 3), "nothing comes while it is paused")
            check(visitor.position() == before, "nor does the position change")
            check(visitor.inner("playback_resume") == {"status": "0"})
            check(arrivals(viewer, 2), "it goes on")
            length = 1000 * (last.end - first.start)
            for parameters, wanted in (
                    ({"progress": length // 2}, length // 2), ({"time": first.start + 3}, 3000), ({"time": "5}"}, 5000)):
                check(visitor.inner("playback_seek", **parameters) == {"status": "0"}, parameters)
                place = visitor.position()
                check(wanted - 2500 <= place <= wanted + 1500, parameters, "leads to", place)
            times = [tag.timestamp for tag in arrivals(viewer, 2) if tag.is_picture]
            check(times and times == sorted(times), "time stamps stay monotonic")
            # While paused, too.
            visitor.inner("playback_pause")
            check(visitor.inner("playback_seek", progress=1000) == {"status": "0"})
            arrivals(viewer, 1)
            check(not arrivals(viewer, 1), "it stays paused")
        for cmd in ("playback_pause", "playback_resume", "playback_progress"):
            wait_until(lambda cmd=cmd: visitor.inner(cmd) == {"status": "404"}, f"{cmd} without playback is 404", 10)

    def point_10(self) -> None:
        """A new playback, then seek before the first frame."""
        visitor = self.visitor()
        first, last = visitor.closed_files(2)
        for _ in range(3):
            with visitor.play(first.start, last.end) as viewer:
                check(visitor.inner("playback_seek", progress=4000) == {"status": "0"})
                viewer.read_until(lambda tag: tag.is_picture)
                check(visitor.position() >= 1500, "it plays from there")

    # Talk.

    def point_11(self) -> None:
        """Talk: 2xx, busy for others, the first keeps its place; free after it ends."""
        first, second = self.visitor(), self.visitor()
        self.need_talk(first)
        with first.talk() as talk:
            check(talk.is_granted, "the voice request is answered with", talk.status)
            talk.say(bytes(1600))
            check(second.state("voice")[0] == "1" and first.state("voice")[0] == "1", "busy for all")
            with second.talk() as refused:
                check(400 <= refused.status < 500, "the second is refused with", refused.status)
            for _ in range(5):
                talk.say(bytes(1600))
                time.sleep(0.1)
            check(second.state("voice")[0] == "1", "the first goes on")
        wait_until(lambda: second.state("voice")[0] == "0", "the place is free again", 10)

    def point_12(self) -> None:
        """PCM split at odd bytes; FLV split anywhere, empty tags, both flags, 48 kHz."""
        visitor = self.visitor()
        self.need_talk(visitor)
        sound = bytes(range(256)) * 25
        self.say(visitor, [sound[i:i + 333] for i in range(0, len(sound), 333)])
        with visitor.watch(quality="standard") as viewer:
            tags = [tag for tag in viewer.read_seconds(2) if tag.is_sound or tag.is_audio_setup]
        if not tags:
            raise Skipped("the channel has no sound whose AAC could be sent back")
        frames = [tag.body[2:] for tag in tags if tag.is_sound]
        own = next(tag.body[2:] for tag in tags if tag.is_audio_setup)
        for flags, configuration in ((5, own), (4, own), (5, b"\x11\x88"), (4, None)):
            body = talk_body(flags, configuration, frames)
            for size in (1, 7, 200, len(body)):
                pieces = [body[:64][i:i + size] for i in range(0, 64, size)]
                self.say(visitor, pieces + [body[64:][i:i + 800] for i in range(0, len(body) - 64, 800)])
        check(visitor.state("live")[0] == "0", "the device is well")

    def need_talk(self, visitor: Visitor) -> None:
        if visitor.state("voice")[0] == "404":
            raise Skipped("the device has nothing to talk through")

    def say(self, visitor: Visitor, pieces: list[bytes]) -> None:
        wait_until(lambda: visitor.state("voice")[0] == "0", "nobody talks", 10)
        with visitor.talk() as talk:
            check(talk.is_granted, "answered with", talk.status)
            for piece in pieces:
                talk.say(piece)

    # Download.

    def point_13(self) -> None:
        """Download whole and in part, hostile names, a second one, a break in the middle."""
        visitor = self.visitor()
        (file,) = visitor.closed_files(1)
        status, whole = visitor.download(file.name)
        check(status == 200 and len(whole) == file.bytes)
        for offset in (1, len(whole) // 2, len(whole)):
            check(visitor.download(file.name, offset) == (200, whole[offset:]), "offset", offset)
        for offset in (len(whole) + 1, "x"):
            check(visitor.download(file.name, offset)[0] == 404, "offset", offset)
        for name in ("", "..", "../" + file.name, "/etc/passwd", "%2e%2e/%2e%2e/etc/passwd", "a" * 200, "\0",
                     f"/{file.name}", file.name + "\0"):
            check(visitor.download(name)[0] == 404, "name", repr(name))
        raw = "action=download&channel=0&file_name=%2e%2e%2f%2e%2e%2fetc%2fpasswd"
        check(visitor.status(raw) == 404, "encoded dots")
        # A second one ends the first, and a break frees the place: both are counted once and then not at all.
        asker = self.visitor()
        first = visitor.begin_download(file.name)
        check(visitor.download(file.name)[1] == whole, "the second has everything")
        first.close()
        broken = visitor.begin_download(file.name)
        broken.close()
        wait_until(lambda: asker.state("live")[1] == 1, "the place is free", 20)

    # Heads.

    def point_14(self) -> str:
        """PTZ in JSON, raw and encoded; a press without release ends with the link; apex is there."""
        visitor = self.visitor()
        message = '{"topic":"ptz","data":{"cmd":"ptz_%s"},"message_id":7}'
        for cmd in ("up_press", "down_press", "left_press", "right_press", "release_pre"):
            for encoded in (False, True):
                reply = visitor.user(message % cmd, encoded=encoded)
                if reply.get("result") != "0":
                    raise Skipped(f"the channel has no head that turns: {reply}")
                check(list(reply)[:3] == ["confirmation_topic", "result", "apex"] and reply["apex"] in ("yes", "no"), reply)
                check(reply["confirmation_topic"] == "ptz" and reply["message_id"] == 7, reply)
        raw = f"action=user_define&channel=0&cmd={message % 'release_pre'}"
        check(json.loads(visitor.send(raw.replace(" ", "%20")))["result"] == "0", "raw in the query")
        for word in ("left", "right", "up", "down", "top", "bottom"):
            check(visitor.send(f"action=user_define&channel=0&cmd=ptz_{word}"), word)

        def place() -> tuple[str | None, str | None]:
            # A command of EdgeAgent's own; others may tell their position in answer to an unknown one, or not.
            reply = self.visitor().user(message % "status")
            return reply.get("current_x"), reply.get("current_y")

        if place()[0] is None:
            raise Skipped("the head does not tell its position, so nobody sees from here whether it rests")
        visitor.user(message % "release_pre")
        for direction in ("left", "right"):
            watching = visitor.watch(quality="standard")
            watching.read_until(lambda tag: tag.is_picture)
            visitor.user(message % f"{direction}_press")
            before = place()
            wait_until(lambda: place() != before, "the head moves", 5)
            visitor.lose(watching)
            rests_by = time.monotonic() + 3
            rested = wait_until(lambda: (first := place()) == (time.sleep(0.5) or place()) and first, "it rests", 4)
            check(time.monotonic() < rests_by + 1.5, "within a second or two, and not at the time limit")
        return f"it rests at {rested}"

    # Commands.

    def point_15(self) -> None:
        """Unknown commands are answered; 3000 bytes are taken, more are refused without harm."""
        visitor = self.visitor()
        check(visitor.inner("no_such_command") == {"status": "406"})
        check(json.loads(visitor.send("action=inner_define&channel=0")) == {"status": "404"}, "no command")
        check(visitor.user("no such command") is not None)
        for post in (False, True):
            for start in ("action=inner_define&channel=0&cmd=get_nvr_list&pad=", "action=user_define&channel=0&cmd="):
                accepted = visitor.send(start + "x" * (3000 - len(start)), post)
                refused = visitor.send(start + "x" * (3001 - len(start)), post)
                check(json.loads(refused) == {"status": "404"}, refused)
                check(accepted != refused, "3000 bytes are taken")
                visitor.send(start + "x" * (7000 - len(start)), post)
        check(visitor.state("live")[0] == "0", "the device is well")

    def point_16(self) -> None:
        """One visitor plays two channels; two visitors play different times of one."""
        if len(self.channels) < 2:
            raise Skipped("the device has one channel")
        visitor, other = self.visitor(), self.visitor()
        with visitor.watch(channel=self.channels[0], quality="high") as first, \
                visitor.watch(channel=self.channels[1], quality="high") as second:
            for _ in range(2):
                first.read_seconds(1)
                second.read_seconds(1)
            check(other.state("live")[1] == 2, "one viewer, and who asks")
            # The same channel again takes the place of the one before.
            with visitor.watch(channel=self.channels[0], quality="high") as again:
                check_ends(first)
                again.read_seconds(1)
                check(arrivals(second, 1), "the other channel goes on")
        files = visitor.closed_files(2)
        begin, end = files[0].start, files[1].end
        with visitor.play(begin, end) as first, other.play(begin, end) as second:
            other.inner("playback_seek", progress=6000)
            first.read_seconds(1)
            second.read_seconds(1)
            check(visitor.position() < 5000 < other.position(), visitor.position(), other.position())
            visitor.inner("playback_pause")
            arrivals(first, 1)
            check(not arrivals(first, 1) and arrivals(second, 1), "one is paused, the other is not")

    def point_17(self) -> str:
        """A viewer that vanishes without a word is counted out."""
        asker = self.visitor()
        wait_until(lambda: asker.state("live")[1] == 1, "nobody else watches", 10)
        ghost = self.visitor().watch(quality="high", receive_buffer=4096)
        check(asker.state("live")[1] == 2)
        started = time.monotonic()
        # It neither reads nor closes from here on.
        wait_until(lambda: asker.state("live")[1] == 1, "it is counted out", 60, 0.5)
        elapsed = time.monotonic() - started
        ghost.close()
        return f"after {elapsed:.0f} s"


# Helpers.

def check_beginning(tags: list[Tag]) -> None:
    pictures = [tag for tag in tags if tag.is_picture]
    sounds = [tag for tag in tags if tag.is_sound]
    setups = [index for index, tag in enumerate(tags) if tag.is_video_setup]
    check(pictures and setups and setups[0] < tags.index(pictures[0]), "set-up before the first picture")
    check(pictures[0].is_key_picture, "the first picture is a key frame")
    for track in (pictures, sounds):
        times = [tag.timestamp for tag in track]
        check(times == sorted(set(times)), "time stamps rise")
    check(pictures[0].timestamp < 1000, "they begin at 0, not", pictures[0].timestamp)
    if sounds:
        check(sounds[0].timestamp < 1000, "sound too, not", sounds[0].timestamp)
        check(any(tag.is_audio_setup for tag in tags), "AAC configuration")


def check_ends(viewer: HTTPViewer) -> None:
    try:
        viewer.read_until(lambda tag: False, 5)
    except (StreamEnded, ConnectionError):
        return
    raise AssertionError("the stream that was replaced goes on")


def drain(viewer: HTTPViewer) -> list[Tag]:
    tags = []
    try:
        for tag in viewer.tags():
            tags.append(tag)
    except StreamEnded:
        return tags
    raise AssertionError("unreachable")


def talk_body(flags: int, configuration: bytes | None, frames: list[bytes]) -> bytes:
    """An FLV body as viewers send it: always marked 0xAF, empty tags between."""
    tags = [] if configuration is None else [Tag(flv.AUDIO, 0, b"\xaf\x00" + configuration)]
    for number, frame in enumerate(frames):
        tags += [Tag(flv.AUDIO, 64 * number, b"\xaf\x01" + frame), Tag(flv.AUDIO, 64 * number, b"")]
    return (b"FLV\x01" + bytes([flags]) + b"\0\0\0\x09\0\0\0\0") + b"".join(map(flv.write_tag, tags))


__all__ = ["Points", "Talk", "quote"]
