internal import HDF5
internal import Relabel
internal import Synchronization

/// Class ids and scores of a shard that is being written, compressed and written by several threads.
///
/// The chunks lie in the file in their order, whichever thread made them. Use from one thread at a time.
final class LabelColumns: @unchecked Sendable {
  // Unchecked: while several threads run, only the one whose turn it is uses the datasets.
  private var classIndex: Dataset?
  private var score: Dataset?
  private let header: ShardHeader
  private let codecs: (classIndex: ChunkCodec, score: ChunkCodec)
  private let unwritten: (classIndex: [UInt8], score: [UInt8])
  private var rows = 0

  /// Creates both datasets in `file`.
  init(_ file: borrowing File, _ header: ShardHeader) throws(HDF5Error) {
    let descriptions = Layout.required.map(header.description)
    classIndex = try file.createColumn(Layout.required[0], descriptions[0])
    score = try file.createColumn(Layout.required[1], descriptions[1])
    codecs = (ChunkCodec(descriptions[0]), ChunkCodec(descriptions[1]))
    unwritten = (
      Layout.fillValue(descriptions[0].type), Layout.fillValue(descriptions[1].type)
    )
    self.header = header
  }

  /// Appends rows; their number fills whole chunks but for the last call.
  ///
  /// - Parameters:
  ///   - images: the rows.
  ///   - jobs: threads that compress and, in turn, write.
  ///   - count: pieces of other work that the threads go on with, so that none waits for the last chunk.
  ///   - work: does one of them.
  /// - Returns: what the other work gave.
  /// - Throws: the first refusal of the HDF5 library; no chunk is written after it.
  func append<Other>(
    _ images: [EncodedImage],
    jobs: Int,
    besides count: Int,
    _ work: @Sendable (Int) -> Other
  ) throws(HDF5Error) -> [Other] {
    guard !images.isEmpty else { return Parallel.map(count, jobs: jobs, work) }
    let perChunk = header.imagesPerChunk
    let first = rows
    rows += images.count
    let shape = [0, header.shape.height, header.shape.width, header.shape.topK]
    try classIndex?.grow(rows: rows, of: shape)
    try score?.grow(rows: rows, of: shape)
    let turns = Turns()
    let chunks = (images.count + perChunk - 1) / perChunk
    let others = Parallel.map(chunks + count, jobs: jobs) { chunk -> Other? in
      guard chunk < chunks else { return work(chunk - chunks) }
      let rows = images[(chunk * perChunk)..<min((chunk + 1) * perChunk, images.count)]
      turns.add(chunk, encoded(rows)) { chunk, bytes throws(HDF5Error) in
        try self.write(bytes, at: [first + chunk * perChunk, 0, 0, 0])
      }
      return nil
    }
    if let failure = turns.failure { throw failure }
    return others.compactMap(\.self)
  }

  /// Notes what storing did to the scores.
  func setScoreAttributes(largestError: Double?) throws(HDF5Error) {
    try score?.setScoreAttributes(header.encoding, largestError: largestError)
  }

  /// Closes both datasets; nothing can be appended after.
  func close() throws(HDF5Error) {
    try classIndex.take()?.close()
    try score.take()?.close()
  }

  /// The stored form of a chunk.
  struct Chunk: Sendable {
    let classIndex: [UInt8]
    let score: [UInt8]
    /// Filters that the scores have not passed.
    let skipped: UInt32
  }

  private func encoded(_ rows: ArraySlice<EncodedImage>) -> Chunk {
    let scores = codecs.score.padded(rows.map(\.score), unwritten.score)
    // Half floats of all classes hardly shrink, and inflating them takes most of the time of reading.
    let (score, skipped) =
      header.views == nil
      ? (codecs.score.encode(scores), 0) : codecs.score.encodeIfUseful(scores)
    return Chunk(
      classIndex: codecs.classIndex.encode(
        codecs.classIndex.padded(rows.map(\.classIndex), unwritten.classIndex)
      ),
      score: score,
      skipped: skipped
    )
  }

  private func write(_ chunk: Chunk, at offset: [Int]) throws(HDF5Error) {
    try classIndex?.writeChunk(chunk.classIndex, at: offset)
    try score?.writeChunk(chunk.score, skipped: chunk.skipped, at: offset)
  }
}

/// Chunks that wait until those before them are written.
private final class Turns: Sendable {
  private struct State {
    var next = 0
    var waiting: [Int: LabelColumns.Chunk] = [:]
    var isTaken = false
    var failure: HDF5Error?

    /// The next chunk in order, if it is there and nobody writes.
    mutating func take() -> (Int, LabelColumns.Chunk)? {
      guard !isTaken, failure == nil, let chunk = waiting.removeValue(forKey: next) else {
        return nil
      }
      isTaken = true
      next += 1
      return (next - 1, chunk)
    }
  }

  private let state = Mutex(State())

  /// Why a chunk could not be written; none was after it.
  var failure: HDF5Error? { state.withLock { $0.failure } }

  /// Adds a chunk and writes what has its turn now, unless another thread is at it, which then goes on.
  func add(
    _ number: Int,
    _ chunk: LabelColumns.Chunk,
    write: (Int, LabelColumns.Chunk) throws(HDF5Error) -> Void
  ) {
    var turn = state.withLock { state in
      state.waiting[number] = chunk
      return state.take()
    }
    while let (number, chunk) = turn {
      var failure: HDF5Error?
      do { try write(number, chunk) } catch { failure = error }
      turn = state.withLock { state in
        state.isTaken = false
        state.failure = failure
        return state.take()
      }
    }
  }
}
