import Media
import NIOCore

/// Finds the parts of a file that MP4Writer made, closed or not, whole or cut off.
struct MP4FileScan {
    typealias Read = (_ offset: Int64, _ count: Int) -> ByteBuffer?

    /// A box of the file's outermost level.
    private struct Place {
        let type: BoxType
        let offset: Int64
        let headerLength: Int
        /// 0 in a box that says it reaches to the end of the file.
        let length: Int64
        var end: Int64 { offset + length }
    }

    struct FragmentPlace {
        let offset: Int64
        let headLength: Int
        let end: Int64
        let check: UInt32?
    }

    private let length: Int64
    private let read: Read
    private(set) var identity: SegmentIdentity?
    private(set) var isFinished = false
    /// The movie box that counts, and its tracks with all samples.
    private(set) var movie: MP4MovieReading
    private(set) var tracks: [MP4Track] = []
    private(set) var placeholder: Int64 = 0
    /// The end of the movie box of a closed file, or of the last whole fragment.
    private(set) var validLength: Int64

    /// Boxes in front of the movie box.
    private static let maximumHeadBoxes = 16
    private static let maximumFileTypeLength = 4096
    /// Enough for most fragments' heads, so that one read finds all.
    private static let headRead = 4096
    /// What a check sum is calculated over at a time.
    private static let checkRead = 1 << 18

    init(length: Int64, check: MP4Reader.Check, read: @escaping Read) throws(MP4Reader.Failure) {
        self.length = length
        self.read = read
        guard let fileType = try Self.place(at: 0, length, read), fileType.type == "ftyp",
            fileType.length <= Self.maximumFileTypeLength
        else { throw .notMP4 }
        let head = try Self.head(after: fileType.end, length, read)
        (identity, movie, validLength) = (head.identity, head.movie, head.movieEnd)
        tracks = movie.tracks
        isFinished = !movie.isFragmented
        guard !isFinished else { return }
        guard let placeholder = head.placeholder else { throw .unsupported("fragments of another writer") }
        self.placeholder = placeholder
        var fragments = try readFragments(from: head.movieEnd, to: length)
        if check == .lastFragment {
            let count = fragments.count
            while let last = fragments.last, try !isSound(last) { fragments.removeLast() }
            if fragments.count < count {
                tracks = movie.tracks
                _ = try readFragments(from: head.movieEnd, to: fragments.last?.end ?? head.movieEnd)
            }
        }
    }

    // MARK: The head

    private struct Head {
        var identity: SegmentIdentity?
        var placeholder: Int64?
        var movie: MP4MovieReading
        var movieEnd: Int64
    }

    /// Everything up to the movie box that counts.
    private static func head(after start: Int64, _ length: Int64, _ read: Read) throws(MP4Reader.Failure) -> Head {
        var closing: MP4Reader.Failure?
        do {
            return try head(after: start, length, read, closing: &closing)
        } catch {
            // There are no fragments instead, so what is wrong at the end says more.
            throw closing ?? error
        }
    }

    /// Where a file is closed, its movie box is the one at the end. Where that makes no sense, or was cut off, what the
    /// closed file hides is read: the first movie box, with the fragments behind it.
    private static func head(
        after start: Int64, _ length: Int64, _ read: Read, closing: inout MP4Reader.Failure?
    ) throws(MP4Reader.Failure) -> Head {
        var offset = start
        var identity: SegmentIdentity?
        var placeholder: Int64?
        for _ in 0..<maximumHeadBoxes {
            let isPlaceholder = identity != nil && placeholder == nil
            guard let box = try place(at: offset, length, isPlaceholder: isPlaceholder, read) else { throw .noMovie }
            switch box.type {
            case "moov" where !isPlaceholder:
                let movie = try Self.movie(box, length, read)
                return Head(identity: identity, placeholder: placeholder, movie: movie, movieEnd: box.end)
            case "uuid" where !isPlaceholder:
                if identity == nil { identity = try Self.identity(box, length, read) }
                offset = box.end
            default:
                // Whatever its type became if the last write of the close was torn.
                let isLong = box.headerLength == MP4Closing.placeholderLength
                if isLong || box.length == MP4Closing.placeholderLength { placeholder = placeholder ?? offset }
                do {
                    if isLong, let (movie, end) = try closingMovie(behind: box, length, read) {
                        return Head(identity: identity, placeholder: placeholder, movie: movie, movieEnd: end)
                    }
                } catch {
                    if case .unreadable = error { throw error }
                    closing = closing ?? error
                }
                offset = isLong ? offset + Int64(MP4Closing.placeholderLength) : box.end
            }
            guard offset > box.offset, offset <= length else { throw .noMovie }
        }
        throw .tooLarge("boxes before the movie box")
    }

    /// Nil where there is no other movie box behind than one of fragments.
    private static func closingMovie(
        behind box: Place, _ length: Int64, _ read: Read
    ) throws(MP4Reader.Failure) -> (MP4MovieReading, end: Int64)? {
        guard box.end < length, let next = try place(at: box.end, length, read), next.type == "moov" else { return nil }
        let movie = try movie(next, length, read)
        return movie.isFragmented ? nil : (movie, next.end)
    }

    /// Nil where there is no whole box header any more.
    ///
    /// - Parameter isPlaceholder: known by its place, whatever a power cut left of its first half.
    private static func place(
        at offset: Int64, _ length: Int64, isPlaceholder: Bool = false, _ read: Read
    ) throws(MP4Reader.Failure) -> Place? {
        let count = Int(min(16, length - offset))
        guard count >= 8 else { return nil }
        var header = try bytes(at: offset, count, read)
        let size: UInt32 = try header.take()
        let type = BoxType(code: try header.take())
        guard size == 1 else {
            if isPlaceholder {
                return Place(type: type, offset: offset, headerLength: 8, length: Int64(MP4Closing.placeholderLength))
            }
            guard size == 0 || size >= 8 else { throw .malformed("a box of \(size) bytes") }
            return Place(type: type, offset: offset, headerLength: 8, length: Int64(size))
        }
        guard count == 16 else { return nil }
        let long: UInt64 = try header.take()
        // A size that was not written yet says nothing.
        guard long >= 16, long <= Int64.max - offset else {
            return Place(type: type, offset: offset, headerLength: 16, length: 16)
        }
        return Place(type: type, offset: offset, headerLength: 16, length: Int64(long))
    }

    private static func bytes(at offset: Int64, _ count: Int, _ read: Read) throws(MP4Reader.Failure) -> ByteBuffer {
        guard let bytes = read(offset, count), bytes.readableBytes == count else { throw .unreadable(offset: offset) }
        return bytes
    }

    private static func body(
        _ box: Place, _ length: Int64, _ read: Read
    ) throws(MP4Reader.Failure) -> ByteBuffer {
        try bytes(at: box.offset + Int64(box.headerLength), Int(box.length) - box.headerLength, read)
    }

    private static func movie(
        _ box: Place, _ length: Int64, _ read: Read
    ) throws(MP4Reader.Failure) -> MP4MovieReading {
        guard box.length >= 8, box.end <= length else { throw .noMovie }
        guard box.length <= MP4MovieReading.maximumLength else { throw .tooLarge("the movie box") }
        return try MP4MovieReading(body(box, length, read), mediaEnd: length)
    }

    private static func identity(
        _ box: Place, _ length: Int64, _ read: Read
    ) throws(MP4Reader.Failure) -> SegmentIdentity? {
        guard box.end <= length, (24...Int64(SegmentIdentity.maximumBoxLength)).contains(box.length) else { return nil }
        var body = try body(box, length, read)
        let type = UniqueID(high: try body.take(), low: try body.take())
        return type == SegmentIdentity.boxType ? SegmentIdentity(body: body) : nil
    }

    // MARK: The fragments

    /// Adds to the tracks all fragments up to the first that is not whole or makes no sense.
    private mutating func readFragments(from start: Int64, to end: Int64) throws(MP4Reader.Failure) -> [FragmentPlace] {
        var builder = MP4TrackBuilder(movie)
        var places: [FragmentPlace] = []
        validLength = start
        do {
            while let (place, fragment) = try fragment(at: validLength, end) {
                try builder.add(fragment, place)
                places.append(place)
                validLength = place.end
            }
        } catch {
            // What cannot be read is not taken for damaged.
            if case .unreadable = error { throw error }
        }
        tracks = builder.finished()
        return places
    }

    private func fragment(
        at offset: Int64, _ end: Int64
    ) throws(MP4Reader.Failure) -> (FragmentPlace, MP4Fragment)? {
        let dataHeader = MP4Fragment.dataHeaderLength
        guard end - offset >= 8 + dataHeader else { return nil }
        var head = try Self.bytes(at: offset, Int(min(Int64(Self.headRead), end - offset)), read)
        let headLength = Int(try head.take(UInt32.self))
        guard BoxType(code: try head.take()) == "moof", headLength >= 8 else { return nil }
        guard headLength <= MP4Fragment.maximumLength else { throw .malformed("a fragment's head") }
        guard Int64(headLength + dataHeader) <= end - offset else { return nil }
        if head.readableBytes < headLength {
            head = try Self.bytes(at: offset + 8, headLength - 8 + dataHeader, read)
        }
        let (fragment, check) = try MP4Fragment.read(head.take(headLength - 8), defaults: movie.defaults)
        let dataLength: UInt32 = try head.take()
        let place = FragmentPlace(
            offset: offset, headLength: headLength, end: offset + Int64(headLength) + Int64(dataLength), check: check)
        guard BoxType(code: try head.take()) == "mdat", dataLength >= dataHeader, place.end <= end else { return nil }
        return (place, fragment)
    }

    /// Whether a fragment's bytes are those that were written.
    private func isSound(_ place: FragmentPlace) throws(MP4Reader.Failure) -> Bool {
        guard let expected = place.check else { return false }
        var sum = CRC32C()
        let checkPlace = place.offset + Int64(place.headLength - 4)
        for range in [place.offset..<checkPlace, checkPlace + 4..<place.end] {
            var offset = range.lowerBound
            while offset < range.upperBound {
                let count = Int(min(Int64(Self.checkRead), range.upperBound - offset))
                let bytes = try Self.bytes(at: offset, count, read)
                sum.update(bytes, from: 0, to: count)
                offset += Int64(count)
            }
        }
        return sum.value == expected
    }
}
