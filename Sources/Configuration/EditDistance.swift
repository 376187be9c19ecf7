/// How many letters must be changed, left out, put in or swapped with their neighbour to make one word of another,
/// upper and lower case being the same.
func editDistance(_ a: String, _ b: String) -> Int {
    let a = Array(a.lowercased().utf8.prefix(64))
    let b = Array(b.lowercased().utf8.prefix(64))
    var beforeLast = [Int](repeating: 0, count: b.count + 1)
    var last = Array(0...b.count)
    for i in 0..<a.count {
        var row = [i + 1]
        row.reserveCapacity(b.count + 1)
        for j in 0..<b.count {
            var cost = min(row[j] + 1, last[j + 1] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
            if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, beforeLast[j - 1] + 1) }
            row.append(cost)
        }
        (beforeLast, last) = (last, row)
    }
    return last[b.count]
}

/// The one of `words` that somebody who wrote `word` most probably meant; nil where none is near.
func nearest(to word: String, in words: some Sequence<String>) -> String? {
    let limit = max(2, min(word.utf8.count, 30) / 3)
    return words.map { (distance: editDistance(word, $0), word: $0) }
        .filter { $0.distance <= limit && $0.distance < $0.word.utf8.count }
        .min { $0.distance < $1.distance }?.word
}
