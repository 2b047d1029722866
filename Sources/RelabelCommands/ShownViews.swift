internal import Relabel
internal import RelabelPages

/// All views of one image, ready to print: what was done to the picture, and the most probable class.
struct ShownViews {
  private let key: String
  private let views: [(view: LabelView, top: TopClasses)]

  init(
    _ maps: any LabelMapSource,
    _ positions: [Int],
    _ image: ImageArguments
  ) throws(RelabelError) {
    key = image.key
    let header = try maps.header
    let pooling = try LabelPooling(header, profile: .relabel)
    var views: [(view: LabelView, top: TopClasses)] = []
    for position in positions {
      let map = try maps.map(at: position)
      let target = try pooling.target(of: map, in: map.extent)
      let top = TopClasses(entries: target.top(image.top), header: header)
      views.append((try maps.view(at: position), top))
    }
    self.views = views.sorted { $0.view.number < $1.view.number }
  }

  func lines() -> [String] {
    ["\(key): \(views.count) views"]
      + views.flatMap { view, top in
        ["view \(view.number)"] + view.lines() + top.lines().prefix(1)
      }
  }

  func json() -> JSON {
    .object([
      "key": .string(key),
      "views": .array(
        views.map { .object(["view": $0.view.json, "top": $0.top.json()]) }
      ),
    ])
  }
}
