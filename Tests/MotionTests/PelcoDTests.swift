import Motion
import Testing

/// The numbers are those of manuals of heads that speak the protocol.
@Suite struct PelcoDTests {
    private func move(_ directions: PTZDirection..., speed: Double) -> [UInt8] {
        PelcoD.move(1, MotorVelocity(directions, speed: speed)).bytes
    }

    @Test func everyDirectionHasItsBit() {
        #expect(move(.right, speed: 1) == [0xFF, 1, 0, 0x02, 0x3F, 0, 0x42])
        #expect(move(.left, speed: 1) == [0xFF, 1, 0, 0x04, 0x3F, 0, 0x44])
        #expect(move(.up, speed: 1) == [0xFF, 1, 0, 0x08, 0, 0x3F, 0x48])
        #expect(move(.down, speed: 1) == [0xFF, 1, 0, 0x10, 0, 0x3F, 0x50])
        #expect(move(.zoomIn, speed: 1) == [0xFF, 1, 0, 0x20, 0, 0, 0x21])
        #expect(move(.zoomOut, speed: 1) == [0xFF, 1, 0, 0x40, 0, 0, 0x41])
        #expect(move(.focusFar, speed: 1) == [0xFF, 1, 0, 0x80, 0, 0, 0x81])
        #expect(move(.focusNear, speed: 1) == [0xFF, 1, 1, 0, 0, 0, 2])
        #expect(move(.irisOpen, speed: 1) == [0xFF, 1, 2, 0, 0, 0, 3])
        #expect(move(.irisClose, speed: 1) == [0xFF, 1, 4, 0, 0, 0, 5])
        #expect(move(.up, .left, .zoomIn, speed: 0.5) == [0xFF, 1, 0, 0x2C, 0x20, 0x20, 0x6D])
        #expect(PelcoD.stop(1).bytes == [0xFF, 1, 0, 0, 0, 0, 1])
    }

    @Test func speedsAreNeverZeroAndFullSpeedMayBeTurbo() {
        #expect(move(.left, speed: 0.001)[4] == 1)
        let full = MotorVelocity([.left, .up], speed: 1)
        #expect(PelcoD.move(1, full, usesTurbo: true).data1 == 0xFF)
        #expect(PelcoD.move(1, full, usesTurbo: true).data2 == 0x3F)
        #expect(PelcoD.move(1, MotorVelocity([.left], speed: 0.9), usesTurbo: true).data1 == 0x39)
        #expect(PelcoD.creep(1, full).bytes == [0xFF, 1, 0, 0x0C, 0, 0, 0x0D])
    }

    @Test func presetsAuxiliariesAndPositions() {
        #expect(PelcoD.setPreset(2, 17).bytes == [0xFF, 2, 0, 3, 0, 17, 22])
        #expect(PelcoD.clearPreset(2, 17).bytes == [0xFF, 2, 0, 5, 0, 17, 24])
        #expect(PelcoD.callPreset(2, 17).bytes == [0xFF, 2, 0, 7, 0, 17, 26])
        #expect(PelcoD.zeroPan(1).bytes == [0xFF, 1, 0, 7, 0, 34, 42])
        #expect(PelcoD.auxiliary(1, 2, isOn: true).bytes == [0xFF, 1, 0, 9, 0, 2, 12])
        #expect(PelcoD.auxiliary(1, 2, isOn: false).bytes == [0xFF, 1, 0, 0x0B, 0, 2, 14])
        #expect(PelcoD.query(1, .pan).bytes == [0xFF, 1, 0, 0x51, 0, 0, 0x52])
        #expect(PelcoD.query(1, .tilt).command2 == 0x53)
        #expect(PelcoD.query(1, .zoom).command2 == 0x55)
        #expect(PelcoD.set(1, .pan, 9000).bytes == [0xFF, 1, 0, 0x4B, 0x23, 0x28, 0x97])
    }

    @Test func checksumsWrap() {
        #expect(PelcoD.setPreset(255, 255).checksum == 1)
    }

    @Test(arguments: [-180.0, -90.25, -0.01, 0, 0.01, 45, 179.99])
    func anglesSurviveTheWire(degrees: Double) {
        let pan = PelcoD.panDegrees(PelcoD.panValue(degrees: degrees))
        #expect(abs((pan - degrees).remainder(dividingBy: 360)) < 0.005)
        let tilt = PelcoD.tiltDegrees(PelcoD.tiltValue(degrees: degrees / 2))
        #expect(abs(tilt - degrees / 2) < 0.006)
    }

    @Test func downFromTheHorizonIsPositiveOnTheWire() {
        #expect(PelcoD.tiltValue(degrees: -30) == 3000)
        #expect(PelcoD.tiltValue(degrees: 30) == 33000)
        #expect(PelcoD.panValue(degrees: -90) == 27000)
    }
}
