public import Relabel

/// The images of a pipe or compressed archive, one after the other.
///
/// The stream belongs to one thread at a time; the images it gives may go to any.
public final class ArrivalStream: @unchecked Sendable {
  // Sendable by the rule above: the state is only touched by the thread that calls.
  private let name: String
  private let options: InputOptions
  private let source: (any ArrivalSource)?
  private var isAtEnd = false
  private var desk: ArrivalDesk
  private var queue: [PendingImage] = []
  private var isPeeking = false
  /// What was read ahead, and what was wrong with an archive while it was.
  private var (peeked, broken) = ([Arrival](), RelabelError?.none)
  private var isBegunAnew = false
  /// Entries read ahead that peeking may have to look through at most.
  private static let maximumPeek = 64

  /// Files in the archive that are not read, as far as the archive was read.
  public var ignored: [String] { source?.ignored ?? [] }
  /// Images that came again as equal copies, as far as the stream has been read.
  public var copies: [String] { desk.copies }
  /// Bytes taken from the pipe or file so far.
  public var bytesRead: Int64 { source?.bytesRead ?? 0 }
  /// Lines of the image list that no image has arrived for yet; meant for after the end.
  public var unmatchedListLines: [String] { desk.unmatchedListLines }
  /// True for what comes once, and not for the views of a folder, which come from the start again.
  public let isPipe: Bool
  /// True for records, whose writer knows which images are packed already and sends those behind them; a tar comes
  /// again from its beginning.
  public var sendsOnlyNew: Bool { source?.traits != nil }

  /// Starts to read.
  ///
  /// - Parameters:
  ///   - file: a pipe, or a file that is read front to back.
  ///   - parts: the files that it goes on in.
  ///   - name: what errors call it.
  ///   - options: what the user said.
  /// - Throws: `.usage` and `.invalidInput` for a stream of records whose beginning is wrong.
  init(
    _ file: OpenFile,
    then parts: [OpenFile] = [],
    _ name: String,
    _ options: InputOptions
  ) throws(RelabelError) {
    (self.name, isPipe) = (name, true)
    let bytes = StreamBytes(file, then: parts)
    guard try bytes.begin(with: RecordStream.magic) else {
      if try bytes.begin(with: HDF5Arrays.signature) {
        throw RelabelError(
          .usage,
          "an HDF5 file can't be read through a pipe, for it is not read front to back: give its path",
          at: Location(file: name)
        )
      }
      self.options = options
      desk = try ArrivalDesk(options)
      do throws(RelabelError) {
        source = try TarArrivals(bytes, name, options)
      } catch {
        source = nil
        queue.append(desk.fail(error, at: name))
      }
      return
    }
    let records = try RecordStream(bytes, name, options)
    source = records
    self.options = records.options
    let areViews = records.traits?.views != nil
    desk = try ArrivalDesk(
      records.options,
      viewColumns: areViews ? records.traits?.columns : nil
    )
  }

  /// Starts to read the views of a folder.
  ///
  /// - Throws: `.usage` for an image list that is wrong.
  init(_ views: ViewArrivals, _ name: String, _ options: InputOptions) throws(RelabelError) {
    (self.name, self.options, source, isPipe) = (name, options, views, false)
    desk = try ArrivalDesk(options, viewColumns: views.traits?.columns)
    desk.takesViewsAsCounted()
  }

  /// The next image, or nil at the end of the stream.
  ///
  /// - Throws: `.io`; `.invalidInput` where records end early. A damaged archive gives one image that fails, then
  ///   the end.
  public func next() throws(RelabelError) -> PendingImage? {
    try admitAgain()
    while queue.isEmpty {
      guard try readOn() else {
        try checkAwaited()
        return nil
      }
    }
    return queue.removeFirst()
  }

  /// Notes images that an earlier run has packed; called before the first image is taken.
  ///
  /// - Parameter rows: what the run has made of them.
  /// - Throws: `.usage` where the image list is another one by now, `.io`.
  public func note(_ rows: PackedRows) throws(RelabelError) {
    if !sendsOnlyNew, !isBegunAnew {
      // What was read ahead is looked at once more, when it's known which images are packed.
      desk = try ArrivalDesk(options)
      (queue, isBegunAnew) = ([], true)
    }
    try desk.note(rows, comingAgain: !sendsOnlyNew)
  }

  /// Admits what was read ahead before it was known which images are packed.
  private func admitAgain() throws(RelabelError) {
    let arrivals = isBegunAnew ? peeked : []
    peeked = []
    if arrivals.isEmpty { return }
    for arrival in arrivals { take(arrival) }
    if let broken { queue.append(desk.fail(broken, at: name)) }
    if let failure = desk.failure { throw failure }
  }

  private func take(_ arrival: Arrival) {
    if let image = desk.admit(arrival) { queue.append(image) }
  }

  /// Refuses an end before all images have come that an earlier run has packed.
  private func checkAwaited() throws(RelabelError) {
    guard desk.awaited > 0 else { return }
    throw RelabelError(
      .usage,
      "\(desk.awaited) images that the earlier run has packed have not come: go on with the same input, or pack"
        + " everything again with --overwrite",
      at: Location(file: name)
    )
  }

  /// What the source settles; of an archive, read ahead as far as it takes.
  func peek() throws(RelabelError) -> SourceTraits {
    if let stated = source?.traits { return stated }
    isPeeking = true
    defer { isPeeking = false }
    while !queue.contains(where: { !$0.entry.isFailing }), queue.count < Self.maximumPeek {
      guard try readOn() else { break }
    }
    guard !queue.isEmpty else {
      throw RelabelError(.usage, "nothing to read was found in the archive").located(
        Location(file: name)
      )
    }
    var traits = SourceTraitsTally(options)
    for image in queue { try traits.add(image.entry) }
    return traits.traits()
  }

  private func readOn() throws(RelabelError) -> Bool {
    guard let source, !isAtEnd else { return false }
    do throws(RelabelError) {
      let isThere = try source.read { arrival in
        if isPeeking, !sendsOnlyNew { peeked.append(arrival) }
        take(arrival)
      }
      if let failure = desk.failure { throw failure }
      isAtEnd = !isThere
      return isThere
    } catch {
      // Nobody knows what is missing of records; of an archive the user may ask for what there is.
      if source.traits != nil || desk.failure != nil { throw error.located(Location(file: name)) }
      isAtEnd = true
      broken = error
      queue.append(desk.fail(error, at: name))
      return true
    }
  }
}
