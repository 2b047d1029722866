internal import HDF5
package import Relabel

/// A shard as the HDF5 library reads it: a second opinion, and a way into what a walk gives up.
package final class LibraryFile {
  private let file: File
  private let path: String

  /// As many links and attributes as a shard may have.
  private static let limits = FileContents.Limits(
    links: Layout.maximumDatasets,
    attributes: Layout.maximumAttributes
  )

  /// Opens a finished file.
  ///
  /// - Throws: what the HDF5 library or the system refuses.
  package init(_ path: String) throws(RelabelError) {
    self.path = path
    do { file = try File.open(path) } catch { throw RelabelError(reading: error, path) }
  }

  /// What the file says.
  ///
  /// - Parameter skipped: datasets that are not looked at, for files in which they are damaged.
  /// - Returns: the contents.
  /// - Throws: what the HDF5 library or the system refuses.
  package func contents(except skipped: Set<String> = []) throws(RelabelError) -> FileContents {
    do { return try file.contents(Self.limits, except: skipped) } catch {
      throw RelabelError(reading: error, path)
    }
  }

  /// The chunks of a dataset.
  ///
  /// - Throws: what the HDF5 library or the system refuses.
  package func store(
    _ name: String,
    _ description: DatasetDescription
  ) throws(RelabelError) -> (any ChunkStore)? {
    do { return LibraryChunks(try file.openDataset(name), description, path) } catch {
      throw RelabelError(reading: error, path)
    }
  }
}

/// Chunks that the HDF5 library finds.
private final class LibraryChunks: ChunkStore, @unchecked Sendable {
  // Unchecked: the dataset is only used under the HDF5 lock; the rest never changes.
  private let dataset: Dataset
  private let rank: Int
  private let rowsPerChunk: Int
  private let path: String

  init(_ dataset: consuming Dataset, _ description: DatasetDescription, _ path: String) {
    self.dataset = dataset
    rank = description.shape.count
    rowsPerChunk = description.chunk[0]
    self.path = path
  }

  func chunk(_ number: Int, limit: Int) throws(RelabelError) -> RawChunk {
    do {
      return try dataset.readChunk(at: offset(number), limit: limit)
    } catch {
      throw RelabelError(reading: error, path)
    }
  }

  func storedBytes(ofChunk number: Int) throws(RelabelError) -> Int {
    do {
      return try dataset.storedBytes(at: offset(number))
    } catch {
      throw RelabelError(reading: error, path)
    }
  }

  /// The first element of a chunk.
  private func offset(_ chunk: Int) -> [Int] {
    [chunk * rowsPerChunk] + [Int](repeating: 0, count: rank - 1)
  }
}
