package import Relabel
internal import RelabelWriting

/// What to check of one shard.
package struct ShardRequest: Hashable, Sendable {
  package var path: String
  /// Threads that decode and check.
  package var jobs: Int = 1
  /// False: only the structure; no chunk is read.
  package var readsChunks: Bool = true
  /// How many images of the shard to check; nil for all.
  package var sample: Int?
  /// True: the file's digest is wanted, too.
  package var hashes: Bool = false

  package init(_ path: String) { self.path = path }
}

/// What came out of the check of one shard.
package struct ShardOutcome: Sendable {
  package var tally: Tally = Tally()
  /// Nil when a violation made the shard unreadable.
  package var facts: ShardFacts?
  /// Rows whose labels were checked.
  package var images: Int = 0
  /// Chunks that were decoded.
  package var chunks: Int = 0
  /// SHA-256 of the file, where it was wanted and the check came to its end.
  package var sha256: String?

  /// True when the shard was looked at to its end and breaks no rule.
  package var isSound: Bool {
    facts != nil && tally.entries.allSatisfy { $0.first.rule.severity != .error }
  }
}

/// Checks one shard file from its first byte to its last value.
package struct ShardCheck {
  private let request: ShardRequest

  package init(_ request: ShardRequest) { self.request = request }

  /// - Throws: `.io` when the system refuses the file.
  package func check() throws(RelabelError) -> ShardOutcome {
    var outcome = ShardOutcome()
    let plain = try FileBytes(request.path)
    let hashed = request.hashes ? HashedBytes(plain) : nil
    let bytes: any ByteSource = hashed ?? plain
    let structure = try StructureWalk.findings(bytes)
    for violation in structure.violations { outcome.tally.add(violation) }
    // What is not sound the library must not see.
    if !structure.isSound { return outcome }
    let file: ShardFile?
    do {
      let library = try LibraryFile(request.path)
      let contents = try library.contents()
      if structure.isComplete, contents != structure.contents {
        let message = "the HDF5 library reads descriptions or attributes that the bytes do not say"
        outcome.tally.add(Violation(.c001, message))
      }
      file = try ShardFile.open(
        request.path,
        structure: structure,
        bytes: bytes,
        // What lies outside the profile only the library follows; the file is refused for it anyway.
        contents: structure.isComplete ? nil : contents,
        store: library.store
      ) {
        outcome.tally.add($0)
      }
    } catch  where error.code == .corrupt {
      outcome.tally.add(Violation(.c001, error.message))
      return outcome
    }
    guard let file else { return outcome }
    var facts = ShardFacts(file.header, rows: file.rows, optional: file.optional.map(\.name))
    facts.largestError = file.largestError
    addNotes(file.header, to: &outcome.tally)
    if request.readsChunks { check(file, &facts, &outcome) }
    outcome.facts = facts
    outcome.sha256 = try hashed?.finish()
    return outcome
  }

  private func check(_ file: ShardFile, _ facts: inout ShardFacts, _ outcome: inout ShardOutcome) {
    let sample = request.sample.map { chunks(holding: $0, of: file) }
    let labels = LabelCheck(file).check(jobs: threads(for: file), chunks: sample)
    let identity = IdentityCheck(file)
    let identities = identity.check()
    outcome.tally.add(labels.tally.naming(identity.key))
    outcome.tally.add(identities.tally)
    for (name, column) in file.optional {
      outcome.tally.add(ColumnCheck(name, column).check(file.header))
    }
    outcome.tally.add(NormalizerCheck(file).check(chunks: sample).naming(identity.key))
    facts.scoreRange = labels.scoreRange
    facts.keyHashes = identities.keyHashes
    facts.imageIndexes = identities.imageIndexes
    if file.header.views != nil {
      let views = ViewCheck(file, identities).check()
      outcome.tally.add(views.tally.naming(identity.key))
      facts.views = ShardFacts.Views(
        keyHashes: identities.keyHashes,
        batches: views.batches,
        partners: views.partners
      )
      facts.keyHashes = views.viewWords
    }
    facts.mapDigests = labels.mapDigests
    facts.statistics = labels.statistics
    let perChunk = file.classIndex.rowsPerChunk
    outcome.images =
      sample.map { chunks in
        chunks.reduce(0) { $0 + min(perChunk, file.rows - $1 * perChunk) }
      } ?? file.rows
    let labelChunks = sample?.count ?? file.classIndex.chunks
    outcome.chunks = file.columns.dropFirst(2).reduce(2 * labelChunks) { $0 + $1.column.chunks }
  }

  /// As many threads as were asked for, fewer where chunks are so large that they would take more
  /// than about 150 MB together: six buffers of a chunk's size each.
  private func threads(for file: ShardFile) -> Int {
    let chunkBytes = file.classIndex.rowsPerChunk * file.classIndex.rowBytes
    return max(1, min(request.jobs, (128 << 20) / (6 * max(chunkBytes, 1))))
  }

  /// As many chunks as hold `images`, drawn without order but always the same, ascending.
  private func chunks(holding images: Int, of file: ShardFile) -> [Int] {
    let perChunk = file.classIndex.rowsPerChunk
    let chunks = file.classIndex.chunks
    let wanted = (min(images, file.rows) + perChunk - 1) / perChunk
    let order = (0..<chunks).sorted { SplitMix64.bits($0, from: 0) < SplitMix64.bits($1, from: 0) }
    return order.prefix(wanted).sorted()
  }

  private func addNotes(_ header: ShardHeader, to tally: inout Tally) {
    if !header.metadata.hasAnnotator {
      tally.add(
        Violation(.p001, "the dataset does not say which annotator made these maps (--annotator)")
      )
    }
    if header.metadata.classes == nil {
      tally.add(Violation(.p002, "there is no class table (--classes)"))
    }
    if header.orientation == .unknown, header.shape.cells > 1 || header.views == nil {
      tally.add(
        Violation(
          .p003,
          "the dataset does not say whether rows run down the picture (--orientation)"
        )
      )
    }
    if header.metadata.json["views"]?["teacher_mode"]?.string == "train" {
      tally.add(
        Violation(
          .p004,
          "the teacher saw whole batches (train mode): no label can be made again from its view alone"
        )
      )
    }
  }
}

extension Tally {
  /// The same findings with the key of the image where only its row is known.
  func naming(_ key: (_ row: Int) -> String?) -> Tally {
    mapLocations { location in
      guard let row = location.row, let key = key(row) else { return location }
      return location.filled(from: Location(key: key))
    }
  }
}
