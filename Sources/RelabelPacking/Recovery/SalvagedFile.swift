import Relabel
import RelabelWriting
import RelabelVerification

/// A damaged shard, opened as far as it can be.
///
/// What a reader refuses for its layout or header is refused here too: labels whose meaning is not
/// certain are not saved.
struct SalvagedFile {
  let file: ShardFile
  /// Optional datasets that are there, with the column of those that can be opened.
  let optional: [(layout: Layout.Column, column: StoredColumn?)]

  /// - Throws: why nothing of the shard can be read.
  init(_ path: String) throws(RelabelError) {
    var lost: Set<String> = []
    do {
      file = try Self.open(path)
    } catch {
      // The header of an optional dataset may be all that is damaged.
      lost = try Self.unreadable(path, error)
      file = try Self.open(path, except: lost)
    }
    guard file.header.version.isKnown, file.header.features.optional.isEmpty else {
      throw RelabelError(
        .unsupported,
        "format version \(file.header.version) needs a newer relabel: this one would drop what it "
          + "does not know"
      )
    }
    let columns = Dictionary(uniqueKeysWithValues: file.optional)
    optional = Layout.optional.compactMap { layout in
      guard let column = columns[layout.name] else {
        return lost.contains(layout.name) ? (layout, nil) : nil
      }
      return (layout, column)
    }
  }

  private static func open(
    _ path: String,
    except skipped: Set<String> = []
  ) throws(RelabelError) -> ShardFile {
    var first: Violation?
    let structure = try StructureWalk.findings(FileBytes(path))
    // The library may get at what the walk gives up: a helper process is there for that.
    let isOurs = skipped.isEmpty && structure.isSound && structure.isComplete
    let library = isOurs ? nil : try LibraryFile(path)
    let file = try ShardFile.open(
      path,
      structure: structure,
      contents: try library?.contents(except: skipped),
      store: library?.store
    ) {
      first = first ?? $0
    }
    if let first { throw first.error(file: nil) }
    guard let file else { throw RelabelError(.internalFault, "refused without a reason") }
    return file
  }

  /// The optional datasets without which the shard can be opened.
  private static func unreadable(
    _ path: String,
    _ error: RelabelError
  ) throws(RelabelError) -> Set<String> {
    let names = Set(Layout.optional.map(\.name))
    guard (try? open(path, except: names)) != nil else { throw error }
    return names.filter { (try? open(path, except: names.subtracting([$0]))) == nil }
  }
}

extension SalvagedFile {
  /// What the shard says of itself, damaged optional datasets included.
  var facts: ShardFacts {
    var facts = ShardFacts(file.header, rows: file.rows, optional: file.optional.map(\.name))
    for (layout, column) in optional where column == nil { facts.addDataset(layout.name) }
    facts.largestError = file.largestError
    return facts
  }
}
