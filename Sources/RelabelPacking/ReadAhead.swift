import AnnotatorOutputs
import Relabel
import Synchronization

/// The images of a stream, read and unpacked by a thread of their own while those before are packed.
///
/// At most 16 MB are ahead. Use from one thread at a time; the stream belongs to this until `next` has given
/// nil or thrown.
final class ReadAhead {
  private let stream: ArrivalStream
  /// Nil where the caller's own thread reads.
  private let shelf: Shelf?
  private var batch: ArraySlice<PendingImage> = []
  private var isAtEnd = false

  /// - Parameters:
  ///   - stream: whose images are wanted.
  ///   - jobs: with one thread nothing is read ahead.
  init(_ stream: ArrivalStream, jobs: Int) {
    self.stream = stream
    shelf = jobs > 1 ? Shelf(filledFrom: stream) : nil
  }

  deinit { shelf?.cancel() }

  /// The next image, or nil at the end.
  ///
  /// - Throws: as `ArrivalStream.next`.
  func next() throws(RelabelError) -> PendingImage? {
    guard let shelf else { return try stream.next() }
    if batch.isEmpty, !isAtEnd {
      // Behind an empty batch and behind an error comes nothing.
      isAtEnd = true
      batch = try shelf.take()[...]
      isAtEnd = batch.isEmpty
    }
    return batch.popFirst()
  }
}

/// A few batches of images between the thread that reads and the one that packs.
private final class Shelf: @unchecked Sendable {
  // Unchecked: one thread reads the stream, the rest is behind a lock or never changes.
  private let stream: ArrivalStream
  private let batches = Mutex<[Result<[PendingImage], RelabelError>]>([])
  private let isCancelled = Atomic<Bool>(false)
  /// Batches that are there, and that there is room for.
  private let filled = Semaphore(0)
  private let free = Semaphore(4)

  private static let batchBytes = 4 << 20
  private static let batchImages = 64

  /// Starts the thread; nil when the system has none.
  init?(filledFrom stream: ArrivalStream) {
    self.stream = stream
    // It may wait for a pipe for ever, so nobody waits for it.
    guard Parallel.startDetached({ self.fill() }) else { return nil }
  }

  /// The next batch, empty at the end.
  func take() throws(RelabelError) -> [PendingImage] {
    filled.wait()
    let batch = batches.withLock { $0.removeFirst() }
    free.signal()
    return try batch.get()
  }

  /// Tells the reading thread to stop.
  func cancel() {
    isCancelled.store(true, ordering: .releasing)
    free.signal()
  }

  private func fill() {
    while true {
      free.wait()
      if isCancelled.load(ordering: .acquiring) { return }
      let (images, error) = read()
      // An empty batch is the end; an error is one, too.
      if !images.isEmpty || error == nil { give(.success(images)) }
      if let error { give(.failure(error)) }
      if images.isEmpty || error != nil { return }
    }
  }

  private func give(_ batch: Result<[PendingImage], RelabelError>) {
    batches.withLock { $0.append(batch) }
    filled.signal()
  }

  /// The next images, and what came instead of the one behind them.
  private func read() -> (images: [PendingImage], error: RelabelError?) {
    var (images, bytes): ([PendingImage], Int) = ([], 0)
    do throws(RelabelError) {
      while images.count < Self.batchImages, bytes < Self.batchBytes, let image = try stream.next()
      {
        images.append(image)
        bytes += image.byteCount
      }
      return (images, nil)
    } catch {
      return (images, error)
    }
  }
}
