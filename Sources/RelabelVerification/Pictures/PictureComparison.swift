internal import Relabel

/// Compares the images of a dataset with the pictures below some folders (rules I001–I004).
struct PictureComparison {
  var index: PictureIndex
  private let jobs: Int
  private var counts = Counts()
  /// Images that were compared.
  var images: Int { counts.images }
  /// Pictures that the system did not let read: how many, and the first error.
  private var refused: (count: Int, first: RelabelError)?

  private struct Counts {
    var images = 0
    var sizes = 0
    var digests = 0
    /// Pictures whose size no header reader of ours can tell, and the first of them.
    var sizesUnknown = 0
    var firstUnknown = ""
  }

  init(_ index: PictureIndex, jobs: Int) {
    self.index = index
    self.jobs = jobs
  }

  /// What helps where a picture has the key without its first folders, as in a tar of a folder.
  private func mend(_ key: String) -> String {
    let parts = key.split(separator: "/", omittingEmptySubsequences: false)
    for count in 1..<max(parts.count, 1) {
      let rest = parts[count...].joined(separator: "/")
      guard index.path(ofKey: rest) != nil else { continue }
      return "; one has the key '\(rest)': pack with --strip-components \(count)"
    }
    return ""
  }

  /// Compares some images with their pictures.
  mutating func add(_ batch: ImageBatch, _ tally: inout Tally) {
    var pictures: [StoredPicture] = []
    for (image, key) in batch.keys.enumerated() where !key.isEmpty {
      counts.images += 1
      switch index.match(key) {
      case .none:
        tally.add(.i001, key, "no picture has this key below \(index.folders)" + mend(key))
      case .one(let path):
        let size = batch.sizes.isEmpty ? nil : batch.sizes[image]
        let digest = batch.digest(image)
        if size == nil && digest == nil { continue }
        pictures.append(StoredPicture(key: key, path: path, size: size, digest: digest))
      case .several: break  // told of all such keys at the end
      }
    }
    let pending = pictures
    for outcome in Parallel.map(pending.count, jobs: jobs, { pending[$0].compare() }) {
      add(outcome, &tally)
    }
  }

  private mutating func add(_ outcome: StoredPicture.Outcome, _ tally: inout Tally) {
    let picture = outcome.picture
    if let error = outcome.error {
      refused = (1 + (refused?.count ?? 0), refused?.first ?? error)
      return
    }
    if let stored = picture.size, let found = outcome.size {
      counts.sizes += 1
      if stored != found {
        let message = "\(picture.path) is \(found) pixels, image_size says \(stored)"
        tally.add(.i003, picture.key, message)
      }
    } else if picture.size != nil {
      if counts.sizesUnknown == 0 { counts.firstUnknown = picture.path }
      counts.sizesUnknown += 1
    }
    if outcome.hasDigest { counts.digests += 1 }
    if let found = outcome.otherDigest {
      let message = "\(picture.path) is not the file that was annotated: its sha256 is \(found)"
      tally.add(.i004, picture.key, message)
    }
  }

  /// Says which pictures belong to no image (rule I002).
  ///
  /// - Throws: `.io` when the folders can't be listed again.
  func reportUnmatched(_ tally: inout Tally) throws(RelabelError) {
    if let (count, path) = try index.unknown() {
      tally.add(Violation(.i002, "no image has the key of picture \(path)"), count: count)
    }
    if let (count, path) = try index.superfluous() {
      let message = "\(path) and another picture have the same key: only one can be the image's"
      tally.add(Violation(.i002, message), count: count)
    }
  }

  /// Adds the figures, and what could not be compared, to the report.
  func finish(_ path: String, comparesBothWays: Bool, _ report: inout Report) {
    if counts.sizesUnknown > 0 {
      report.omissions.append(
        "\(path): the header of \(counts.sizesUnknown) pictures does not tell their size to this "
          + "program, first: \(counts.firstUnknown)"
      )
    }
    if let (count, first) = refused {
      let more = count > 1 ? " (and \(count - 1) other pictures)" : ""
      report.failures.append(RelabelError(.io, first.message + more, at: first.location))
    }
    report.measure(
      "pictures",
      [
        "path": .string(path),
        "images": .integer(Int64(counts.images)),
        "pictures": .integer(Int64(index.count)),
        "passed_over": .integer(Int64(index.passedOver)),
        "both_ways": .bool(comparesBothWays),
        "sizes": .integer(Int64(counts.sizes)),
        "sizes_unknown": .integer(Int64(counts.sizesUnknown)),
        "digests": .integer(Int64(counts.digests)),
      ]
    )
  }
}

/// A picture and what is stored of it.
private struct StoredPicture: Sendable {
  let key: String
  let path: String
  let size: PictureSize?
  let digest: ArraySlice<UInt8>?

  struct Outcome: Sendable {
    let picture: StoredPicture
    /// Nil when the header does not tell it, or nobody asks.
    var size: PictureSize?
    /// True when the file was read to its end.
    var hasDigest = false
    /// The digest of the file where it is not the stored one.
    var otherDigest: String?
    var error: RelabelError?
  }

  /// Looks at the file.
  func compare() -> Outcome {
    var outcome = Outcome(picture: self)
    do throws(RelabelError) {
      if size != nil { outcome.size = PictureSize(header: try PictureBytes(file: path)) }
      if let digest {
        let found = try Digest.of(file: path).hex
        outcome.hasDigest = true
        if found != digest.hexadecimal { outcome.otherDigest = found }
      }
    } catch {
      outcome.error = error
    }
    return outcome
  }
}

extension ArraySlice<UInt8> {
  fileprivate var hexadecimal: String {
    map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}

extension Tally {
  /// Adds a violation of one image of a dataset, whose row in its shard does not matter.
  fileprivate mutating func add(_ rule: Rule, _ key: String, _ message: String) {
    add(Entry(Violation(rule, message, at: Location(key: key)), count: 1, images: 1))
  }
}
