"""The measuring tools are proven on streams made here, with known answers, before they judge the agent."""

import socket
import subprocess
import threading
from pathlib import Path

import numpy as np
import pytest
from harness import flv, media, picture_code, sound
from harness.agent import to_yaml
from harness.rtmp import Link, Service

WIDTH, HEIGHT, RATE = 640, 360, 16000
START = 5_000_700_000  # monotonic microseconds of picture 0


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds of coded pictures, and clicks that come 30 ms late."""
    folder = tmp_path_factory.mktemp("stream")
    pictures = bytearray()
    noise = np.random.default_rng(1)
    for i in range(100):
        luma = noise.integers(60, 180, (HEIGHT // 8, WIDTH // 8), np.uint8).repeat(8, 0).repeat(8, 1)
        picture_code.stamp(luma, 1000 + i, START + 40_000 * i)
        pictures += luma.tobytes() + bytes([128]) * (WIDTH * HEIGHT // 2)
    t = np.arange(4 * RATE) / RATE
    clock = START / 1e6 + t - 0.030
    tone = 0.05 * np.sin(2 * np.pi * 440 * t)
    samples = np.where(clock % 1 < 0.005, 0.7 * np.sin(2 * np.pi * 2000 * clock), tone)
    (folder / "video").write_bytes(pictures)
    (folder / "audio").write_bytes((samples * 32767).astype("<i2").tobytes())
    subprocess.run(
        ["ffmpeg", "-v", "error", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{WIDTH}x{HEIGHT}", "-r", "25", "-i",
         str(folder / "video"), "-f", "s16le", "-ar", str(RATE), "-i", str(folder / "audio"), "-c:v", "libx264",
         "-preset", "ultrafast", "-tune", "zerolatency", "-b:v", "600k", "-c:a", "aac", "-b:a", "32k",
         str(folder / "stream.flv")], check=True)
    return folder / "stream.flv"


def test_reads_the_code_of_every_picture(stream: Path) -> None:
    codes = picture_code.read_codes(stream)
    assert [code.counter for code in codes] == list(range(1000, 1100))
    assert [code.capture_time for code in codes] == [START + 40_000 * i for i in range(100)]
    assert all(code.flash == code.flash_expected for code in codes)
    assert sum(code.flash for code in codes) == 8


def test_finds_clicks_where_they_are(stream: Path) -> None:
    # ffmpeg's encoder begins with 1024 samples of its own, which its first time stamp of 0 does not take back.
    expected = [300 + 30 + 64 + 1000 * i for i in range(4)]
    assert sound.click_times(stream, RATE) == pytest.approx(expected, abs=2)


def test_refuses_a_damaged_code() -> None:
    luma = np.full((HEIGHT, WIDTH), 16, np.uint8)
    picture_code.stamp(luma, 7, 8)
    strip = luma[HEIGHT - 2 * (HEIGHT // 24):]
    assert picture_code.parse(strip) == (7, 8)
    strip[:15, :14] ^= 0xFF
    with pytest.raises(picture_code.UnreadableCode):
        picture_code.parse(strip)


def test_flv_reader_takes_any_pieces(stream: Path) -> None:
    data = stream.read_bytes()
    reader = flv.Reader()
    tags = [tag for i in range(0, len(data), 997) for tag in reader.feed(data[i:i + 997])]
    assert tags == flv.read_file(stream)
    assert reader.has_audio and reader.has_video
    assert tags[0].metadata["width"] == WIDTH
    assert sum(tag.is_picture for tag in tags) == 100
    assert next(tag for tag in tags if tag.is_picture).is_key_picture


def test_flv_reader_refuses_a_wrong_size() -> None:
    data = bytearray(b"FLV\x01\x05\0\0\0\x09\0\0\0\0" + flv.write_tag(flv.Tag(flv.AUDIO, 5, b"\xaf\x01x")))
    data[-1] ^= 1
    with pytest.raises(flv.FLVError, match="PreviousTagSize"):
        flv.Reader().feed(bytes(data))


def test_rtmp_service_and_player(stream: Path, media_service) -> None:
    """ffmpeg publishes to both services, and every frame comes out with its time."""
    sent = [tag for tag in flv.read_file(stream) if tag.is_picture]
    service = Service()
    arguments = ["ffmpeg", "-v", "error", "-re", "-i", str(stream), "-c", "copy", "-f", "flv"]
    subprocess.run([*arguments, service.url()], check=True, timeout=30)
    publisher = service.publishers[0]
    assert publisher.ended.wait(5)
    service.close()
    assert [(t.timestamp, t.body) for t in publisher.tags if t.is_picture] == [(t.timestamp, t.body) for t in sent]

    nginx = media_service()
    player = nginx.play()
    process = subprocess.Popen([*arguments, nginx.url()])
    tags = [player.tag()]
    while tags[-1].timestamp < 3500:
        tags.append(player.tag())
    player.close()
    assert process.wait(20) == 0
    bodies = {tag.body: tag.timestamp for tag in sent}
    pictures = [tag for tag in tags if tag.is_picture]
    assert len(pictures) > 80
    assert all(bodies[tag.body] == tag.timestamp for tag in pictures)


def test_rtmp_reader_knows_extended_times() -> None:
    ours, theirs = socket.socketpair()
    payload = bytes(range(256))
    head = b"\x06\xff\xff\xff" + len(payload).to_bytes(3, "big") + b"\x09" + b"\x01\0\0\0"
    time = (0x01000005).to_bytes(4, "big")
    threading.Thread(target=theirs.sendall, args=(head + time + payload[:128] + b"\xc6" + time + payload[128:],)).start()
    assert Link(ours).read() == (9, 0x01000005, payload)
    ours.close()
    theirs.close()


def test_decode_messages_tells_damage(stream: Path, tmp_path: Path) -> None:
    assert media.decode_messages(stream) == ""
    tags = flv.read_file(stream)
    broken = [flv.Tag(t.kind, t.timestamp, t.body[:200] + bytes(len(t.body) - 200) if len(t.body) > 400 else t.body)
              if t.is_picture else t for t in tags]
    flv.write_file(tmp_path / "broken.flv", broken)
    assert media.decode_messages(tmp_path / "broken.flv") != ""


def test_configuration_is_yaml() -> None:
    text = to_yaml({"channels": [{"id": 0, "main": {"size": "1280x720", "list": [1, 2]}, "sub": False}], "empty": []})
    assert text == ('channels:\n  - id: 0\n    main:\n      size: "1280x720"\n      list:\n        - 1\n        - 2\n'
                    '    sub: false\nempty: []\n')
