internal import Relabel
internal import RelabelVerification

/// The picture of an image with its map and a legend, as an SVG document.
struct MapDrawing {
  private let image: ShownImage
  private let entry: ShownImage.Entry
  private let best: BestCells
  private let legend: Legend
  private let width: Double
  private let height: Double

  /// The longest side of the picture in the drawing, in pixels.
  private static let side = 1000.0
  private static let line = 26.0
  private static let margin = 16.0

  init(_ image: ShownImage) {
    self.image = image
    entry = image.entries[image.choice]
    best = BestCells(entry.map, image.header)
    legend = Legend(best.classIndex)
    let scale = Self.side / max(image.aspect.height, image.aspect.width)
    (width, height) = (image.aspect.width * scale, image.aspect.height * scale)
  }

  /// The whole document.
  var document: String {
    let words = words
    let outerWidth = max(width, 480) + 2 * Self.margin
    let outerHeight = height + Double(words.count + 2) * Self.line + 2 * Self.margin
    var root = XMLElement(
      "svg",
      [
        ("xmlns", "http://www.w3.org/2000/svg"), ("role", "img"),
        ("width", Self.text(outerWidth)), ("height", Self.text(outerHeight)),
        ("viewBox", "0 0 \(Self.text(outerWidth)) \(Self.text(outerHeight))"),
        ("font-family", "sans-serif"), ("font-size", "16"), ("fill", "#1b1b1f"),
      ]
    )
    let title = XMLElement("title", text: "\(image.key.shortened): best class of each cell")
    let paper = XMLElement(
      "rect",
      [
        ("width", Self.text(outerWidth)), ("height", Self.text(outerHeight)), ("fill", "#ffffff"),
      ]
    )
    let head = XMLElement(
      "text",
      [
        ("x", Self.text(Self.margin)), ("y", Self.text(Self.margin + 16)),
        ("font-weight", "600"),
      ],
      text: image.key.shortened
    )
    root.children = [title, paper, head, picture] + words.enumerated().flatMap(line)
    return root.document + "\n"
  }

  /// Picture, cells and outlines in an image of its own, so that what leaves the picture is cut.
  private var picture: XMLElement {
    var drawing = XMLElement(
      "svg",
      [
        ("x", Self.text(Self.margin)), ("y", Self.text(Self.margin + Self.line)),
        ("width", Self.text(width)), ("height", Self.text(height)),
        ("viewBox", "0 0 \(Self.text(width)) \(Self.text(height))"),
      ]
    )
    if let picture = image.picture {
      drawing.children.append(
        XMLElement(
          "image",
          [
            ("href", picture.dataAddress), ("width", Self.text(width)),
            ("height", Self.text(height)), ("preserveAspectRatio", "none"),
            ("style", "image-orientation: none"),
          ]
        )
      )
    }
    var cells = XMLElement("g", [("shape-rendering", "crispEdges"), ("opacity", "0.7")])
    cells.children = best.classIndex.indices.map(cell)
    drawing.children.append(cells)
    drawing.children += outlines
    return drawing
  }

  private func cell(_ number: Int) -> XMLElement {
    let shape = image.header.shape
    let (y, x) = (number / shape.width, number % shape.width)
    let isTransposed = image.isDrawnTransposed
    let (down, across) = isTransposed ? (x, y) : (y, x)
    let rows = isTransposed ? shape.width : shape.height
    let columns = isTransposed ? shape.height : shape.width
    let extent = entry.map.extent
    let place = onPicture(
      CropBox(
        top: extent.top + Double(down) / Double(rows) * extent.height,
        left: extent.left + Double(across) / Double(columns) * extent.width,
        height: extent.height / Double(rows),
        width: extent.width / Double(columns)
      )
    )
    let colour = legend.colours[best.classIndex[number]] ?? Palette.other
    var element = XMLElement(
      "rect",
      rectangle(place) + [
        ("fill", Palette.text(colour)),
        ("fill-opacity", Self.text(0.25 + 0.75 * min(best.probability[number], 1))),
      ]
    )
    element.children = [
      XMLElement(
        "title",
        text:
          "row \(y), column \(x): \(image.name(best.classIndex[number])) \(Self.percent(best.probability[number]))"
      )
    ]
    return element
  }

  /// The boxes of all views with their numbers.
  private var outlines: [XMLElement] {
    image.entries.enumerated().flatMap { number, entry -> [XMLElement] in
      guard let view = entry.view, let box = view.box else { return [] }
      let place = CropBox(top: box.top, left: box.left, height: box.height, width: box.width)
      let isChosen = number == image.choice
      let sides = rectangle(place) + [("fill", "none")]
      // As on the page: of many views, only the one that is shown has room for a name.
      let hasName = isChosen || image.entries.count <= 8
      let words = hasName ? ": \(image.name(image.bestOfViews[number]))" : ""
      let label = [
        ("x", Self.text(max(box.left, 0) * width + 6)),
        ("y", Self.text(max(box.top, 0) * height + 18)),
        ("fill", "#ffffff"), ("stroke", "#000000"), ("stroke-width", "3"),
        ("paint-order", "stroke"),
      ]
      return [
        XMLElement(
          "rect",
          sides + [("stroke", "#000000"), ("stroke-width", isChosen ? "7" : "4")]
        ),
        XMLElement(
          "rect",
          sides + [("stroke", "#ffffff"), ("stroke-width", isChosen ? "4" : "2")]
        ),
        XMLElement("text", label, text: "\(view.number)\(words)"),
      ]
    }
  }

  /// A rectangle of the map's frame as one of the picture.
  private func onPicture(_ place: CropBox) -> CropBox {
    guard let view = entry.view else { return place }
    let left = view.isFlipped == true ? 1 - place.left - place.width : place.left
    let box =
      view.box.map { CropBox(top: $0.top, left: $0.left, height: $0.height, width: $0.width) }
      ?? .whole
    return CropBox(
      top: box.top + place.top * box.height,
      left: box.left + left * box.width,
      height: place.height * box.height,
      width: place.width * box.width
    )
  }

  private func rectangle(_ place: CropBox) -> [(String, String)] {
    [
      ("x", Self.text(place.left * width)), ("y", Self.text(place.top * height)),
      ("width", Self.text(place.width * width)), ("height", Self.text(place.height * height)),
    ]
  }

  /// The lines below the picture: the legend, then what people have to know.
  private var words: [(colour: Palette.Colour?, text: String)] {
    var words: [(Palette.Colour?, String)] = legend.own.map {
      ($0.colour, "\(image.name($0.classIndex)) \(Self.percent($0.share)) of the cells")
    }
    if let others = legend.others {
      let noun = others.classes == 1 ? "class" : "classes"
      words.append(
        (
          Palette.other,
          "\(others.classes) other \(noun) \(Self.percent(others.share)) of the cells"
        )
      )
    }
    return words + image.notes.flatMap(lines).map { (nil, $0) }
  }

  /// A note cut into lines that fit.
  private func lines(_ note: String) -> [String] {
    let most = Int(max(width, 480) / 8.5)
    var lines = [""]
    for word in note.split(separator: " ") {
      if lines[lines.count - 1].count + word.count >= most { lines.append("") }
      lines[lines.count - 1] += (lines[lines.count - 1].isEmpty ? "" : " ") + word
    }
    return lines
  }

  private func line(_ number: Int, _ words: (colour: Palette.Colour?, text: String)) -> [XMLElement]
  {
    let top = Self.margin + height + Double(number + 1) * Self.line + 8
    let swatch = words.colour.map {
      XMLElement(
        "rect",
        [
          ("x", Self.text(Self.margin)), ("y", Self.text(top + 3)), ("width", "16"),
          ("height", "16"), ("fill", Palette.text($0)), ("stroke", "#1b1b1f"),
        ]
      )
    }
    let text = XMLElement(
      "text",
      [
        ("x", Self.text(Self.margin + (words.colour == nil ? 0 : 26))),
        ("y", Self.text(top + 17)),
      ],
      text: words.text
    )
    return [swatch, text].compactMap(\.self)
  }

  private static func percent(_ share: Double) -> String { share.percent }
  private static func text(_ number: Double) -> String { number.text(places: 3) }
}

extension ShownImage {
  /// The drawing as an SVG document.
  package var drawing: String { MapDrawing(self).document }
}
