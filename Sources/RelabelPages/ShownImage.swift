package import Relabel
internal import RelabelFormat
internal import RelabelVerification

/// One image to be shown: its map, or those of its views, and its picture.
package struct ShownImage {
  /// A map and, where labels are of crops, the view it is of.
  package typealias Entry = (map: LabelMap, view: LabelView?)

  /// The image's key.
  package let key: String
  /// What the maps mean.
  package let header: ShardHeader
  /// One map, or one for each view, by number.
  package let entries: [Entry]
  /// The best class of each view, where labels are of crops.
  package let bestOfViews: [UInt32]
  /// The entry that is shown first.
  package let choice: Int
  /// Its picture, where there is one.
  package let picture: ShownPicture?
  /// The profile that is asked for.
  package let profile: PoolingProfile?
  /// What people have to know of the page.
  package let notes: [String]

  /// The most views that are shown at once; more are left to `--view`.
  package static let mostViews = 1000

  /// Reads the maps of an image.
  ///
  /// - Parameters:
  ///   - key: the image.
  ///   - maps: where its maps are.
  ///   - positions: those of its maps.
  ///   - chosen: the number of the view that is shown first.
  ///   - picture: the picture, or why there is none; nil where none was asked for.
  ///   - profile: what pooling is shown with first.
  /// - Throws: as reading maps; `.notFound` for a view that is not there; `.usage` as `LabelPooling`.
  package init(
    _ key: String,
    _ maps: any LabelMapSource,
    at positions: [Int],
    view chosen: Int?,
    picture: Result<ShownPicture, RelabelError>?,
    profile: PoolingProfile?
  ) throws(RelabelError) {
    self.key = key
    header = try maps.header
    // Refuses a profile that is not defined for this grid.
    _ = try LabelPooling(header, profile: profile ?? .relabel)
    var notes: [String] = []
    var entries: [Entry] = []
    if header.views == nil {
      entries = [(try maps.map(at: positions[0]), nil)]
      choice = 0
    } else {
      var views: [(position: Int, view: LabelView)] = []
      for position in positions { views.append((position, try maps.view(at: position))) }
      views.sort { $0.view.number < $1.view.number }
      if views.count > Self.mostViews {
        notes.append(
          "The image has \(views.count) views, of which this shows \(Self.mostViews); name another with --view."
        )
        let wanted = chosen.flatMap { number in views.first { $0.view.number == number } }
        views = Array(views.prefix(Self.mostViews))
        if let wanted, !views.contains(where: { $0.position == wanted.position }) {
          views[Self.mostViews - 1] = wanted
        }
      }
      choice = chosen.flatMap { number in views.firstIndex { $0.view.number == number } } ?? 0
      let read = try maps.maps(at: views.map(\.position))
      entries = zip(read, views).map { ($0, $1.view) }
      if views.contains(where: { $0.view.box == nil }) {
        notes.append(
          "Nobody knows where these views lie on the picture: they are drawn over all of it."
        )
      }
    }
    self.entries = entries
    let pooling = try LabelPooling(header, profile: .relabel)
    var best: [UInt32] = []
    if header.views != nil {
      for (map, _) in entries {
        best += try pooling.target(of: map, in: map.extent).top(1).map(\.classIndex)
      }
    }
    bestOfViews = best
    self.profile = profile
    switch picture {
    case .success(let found):
      self.picture = found
      if found.asksForRotation {
        notes.append(
          "The picture's EXIF asks viewers to rotate it. It is shown as stored, as boxes and maps mean it."
        )
      }
    case .failure(let error):
      self.picture = nil
      notes.append("The map is shown without its picture: \(error.message).")
    case nil: self.picture = nil
    }
    if header.orientation == .unknown {
      notes.append(
        "Nobody knows how this map lies on the picture (orientation unknown). Profile relabel draws its rows down the"
          + " picture, relabel-2021 along its width; the one that fits the picture is right."
      )
    }
    self.notes = notes
  }

  /// Height and width of the drawing: the picture's, or those that make cells square.
  package var aspect: (height: Double, width: Double) {
    if let picture { return (Double(picture.size.height), Double(picture.size.width)) }
    guard entries[0].view == nil else { return (1, 1) }
    let extent = entries[0].map.extent
    let (rows, columns) =
      isDrawnTransposed
      ? (header.shape.width, header.shape.height) : (header.shape.height, header.shape.width)
    return (Double(rows) / extent.height, Double(columns) / extent.width)
  }

  /// True where rows of the grid are drawn along the width of the picture.
  ///
  /// Maps of unknown orientation lie as the profile takes them.
  package var isDrawnTransposed: Bool {
    header.orientation == .unknown ? profile == .relabel2021 : header.orientation == .xy
  }

  /// The name of a class as it is shown.
  func name(_ classIndex: UInt32) -> String {
    header.metadata.classes?.name(of: Int(classIndex)).shortened ?? "class \(classIndex)"
  }

  /// What the page's script draws.
  package var document: JSON {
    // Factors have every class.
    let ids =
      header.hasFactors ? Array(0..<UInt32(header.numClasses)) : entries.flatMap(\.map.classIndex)
    let picture: JSON? = picture.map { .object(["data": .string($0.dataAddress)]) }
    return .object([
      "key": .string(key.printable),
      "header": header.pageDocument,
      "names": header.names(of: ids),
      "notes": .array(notes.map { .string($0.printable) }),
      "profile": .string((profile ?? .relabel).rawValue),
      "choice": .integer(Int64(choice)),
      "aspect": .array([.number(aspect.height), .number(aspect.width)]),
      "picture": picture ?? .null,
      "maps": .array(
        entries.map { entry in
          .object(["map": entry.map.pageDocument, "view": entry.view.map(Self.document) ?? .null])
        }
      ),
    ])
  }

  private static func document(_ view: LabelView) -> JSON {
    guard case .object(var members) = view.json else { return .null }
    members["words"] = .array(view.lines().map { .string($0.printable) })
    return .object(members)
  }

  /// The page.
  ///
  /// - Throws: as `Page.html()`.
  package func page() throws(RelabelError) -> String {
    try Page(.view, title: "\(key) · label map", document: document).html()
  }
}
