"""Sound and picture: the flash and the click, and a counter in every picture."""

from pathlib import Path

import pytest
from harness import flv, picture_code, sound
from harness.agent import synthetic_channel

RATE = 16000


@pytest.mark.parametrize("drift", [0, 200, -200])
def test_sound_and_picture_stay_together(agent, tmp_path: Path, full: bool, drift: int) -> None:
    """Within 40 ms from the first second to the last, also with a microphone whose clock is wrong."""
    seconds = 600 if full else 25
    one = agent({"channels": [synthetic_channel(
        video={"size": "640x360"}, main={"size": "640x360", "bitrate": 500000},
        audio={"rate": RATE, "syntheticDrift": drift})]})
    path = tmp_path / "live.flv"
    with one.viewer() as viewer:
        tags = viewer.save(path, seconds)
        status = one.status()
    pictures = [tag for tag in tags if tag.is_picture]
    codes = picture_code.read_codes(path)
    assert len(codes) == len(pictures)

    # No gap, no repeat; and each picture's time stamp is its capture time.
    assert picture_code.missing_pictures(codes) <= status["channels"][0]["streams"][0]["overruns"]
    base = codes[0].capture_time / 1000 - pictures[0].timestamp
    assert max(abs(code.capture_time / 1000 - tag.timestamp - base) for code, tag in zip(codes, pictures)) <= 1
    assert all(code.flash == code.flash_expected for code in codes)

    # Media time of each flash's first picture, and of each click.
    flashes = [tag.timestamp for before, code, tag in zip(codes, codes[1:], pictures[1:])
               if code.flash and not before.flash]
    clicks = sound.click_times_of(sound.decode(path, RATE), [tag for tag in tags if tag.is_sound], RATE)
    assert len(flashes) >= seconds - 3
    offsets = []
    for flash in flashes[1:-1]:
        nearest = min(clicks, key=lambda click: abs(click - flash))
        offsets.append(nearest - flash)
    print(f"drift {drift}: click − flash: first {offsets[0]:.1f}, last {offsets[-1]:.1f}, "
          f"least {min(offsets):.1f}, most {max(offsets):.1f} ms")
    assert max(abs(offset) for offset in offsets) <= 40, offsets
    # Each second has its click: none missing, none twice.
    steps = [b - a for a, b in zip(clicks, clicks[1:])]
    assert all(abs(step - 1000) < 15 for step in steps), steps
    if full:
        assert status["channels"][0]["microphone"]["driftPartsPerMillion"] == pytest.approx(drift, abs=50)
    sounds = [tag.timestamp for tag in tags if tag.kind == flv.AUDIO and tag.is_sound]
    assert all(55 <= b - a <= 73 for a, b in zip(sounds, sounds[1:]))


def test_stereo_at_48_kilohertz(agent, tmp_path: Path) -> None:
    one = agent({"channels": [synthetic_channel(
        video={"size": "640x360"}, main={"size": "640x360", "bitrate": 500000},
        audio={"rate": 48000, "channels": 2, "bitrate": 96000})]})
    path = tmp_path / "live.flv"
    with one.viewer() as viewer:
        tags = viewer.save(path, 8)
    sounds = [tag for tag in tags if tag.is_sound]
    # 1024 samples are 21.33 ms: the roundings must not add up.
    elapsed = sounds[-1].timestamp - sounds[0].timestamp
    assert elapsed == pytest.approx((len(sounds) - 1) * 1024 / 48, abs=3)
    clicks = sound.click_times_of(sound.decode(path, 48000), sounds, 48000)
    codes = picture_code.read_codes(path)
    pictures = [tag for tag in tags if tag.is_picture]
    flashes = [tag.timestamp for before, code, tag in zip(codes, codes[1:], pictures[1:])
               if code.flash and not before.flash]
    for flash in flashes[1:-1]:
        assert min(abs(click - flash) for click in clicks) <= 40
