import Relabel

/// Where images come from one after the other: what is inside a pipe or a file that is read front to back.
///
/// Belongs to one thread at a time.
protocol ArrivalSource: AnyObject {
  /// What the source says of all its images before the first one; nil where only the images tell.
  var traits: SourceTraits? { get }
  /// Files in the source that are not read, as far as the source was read.
  var ignored: [String] { get }
  /// Bytes taken from the pipe or file so far.
  var bytesRead: Int64 { get }

  /// Reads on, perhaps without finding an image.
  ///
  /// - Parameter admit: takes what was found.
  /// - Returns: false at the end.
  /// - Throws: `.io`, and what makes everything that has come so far worthless.
  func read(_ admit: (Arrival) -> Void) throws(RelabelError) -> Bool
}

/// An image that has come, before anything compares it with the others.
struct Arrival {
  let key: String
  let entry: Entry
  /// The image's place in the listing, where the source knows it.
  var imageIndex: Int64?
  /// Its values of the columns that the source's traits name, in their order.
  var facts: [[UInt8]] = []
}
