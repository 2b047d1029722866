package import RelabelFormat

extension File {
  /// What the file says, as the library reads it.
  ///
  /// - Parameters:
  ///   - limits: more links or attributes are counted and not read.
  ///   - skipped: names of links that are not looked at: what they lead to may be damaged.
  /// - Returns: the contents, without datasets where a link leads to something else.
  /// - Throws: the library's error.
  package func contents(
    _ limits: FileContents.Limits,
    except skipped: Set<String> = []
  ) throws(HDF5Error) -> FileContents {
    var contents = FileContents()
    contents.linkCount = try linkCount()
    guard contents.linkCount <= limits.links else { return contents }
    contents.links = try links(except: skipped)
    guard contents.links.allSatisfy({ $0.kind == .dataset }) else { return contents }
    contents.hasCompactLinks = try hasCompactLinks()
    contents.root = try self.contents(of: self, limits)
    for link in contents.links {
      let dataset = try openDataset(link.name)
      contents.datasets[link.name] = DatasetContents(
        description: try dataset.describe(),
        object: try self.contents(of: dataset, limits)
      )
    }
    return contents
  }

  private func contents<Holder: Object & ~Copyable>(
    of object: borrowing Holder,
    _ limits: FileContents.Limits
  ) throws(HDF5Error) -> ObjectContents {
    var contents = ObjectContents()
    contents.hasCompactAttributes = try object.hasCompactAttributes()
    let attributes = try object.attributes(limit: limits.attributes)
    contents.attributes = attributes ?? []
    contents.attributeCount = attributes?.count ?? limits.attributes + 1
    return contents
  }
}
