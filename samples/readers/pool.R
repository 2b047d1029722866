# LabelPooling of one crop box: section 13 of the specification in R.

# Ends the program with a message where something is not as it must be.
need <- function(condition, ...) if (!isTRUE(condition)) stop(..., call. = FALSE)

# R has only doubles: through four bytes and back, a number is rounded to float32.
f32 <- function(x) readBin(writeBin(x, raw(), size = 4), "double", length(x), size = 4)

# Section 13.3: each sample is shared by the two cells beside it.
axis_weights <- function(start, length, cells) {
  edges <- f32(f32(f32(c(start, start + length)) * cells) - 0.5)
  span <- max(f32(edges[2] - edges[1]), 1)
  samples <- ceiling(span)
  places <- edges[1] + (seq_len(samples) - 0.5) * span / samples
  distances <- abs(outer(pmin(pmax(places, 0), cells - 1), seq_len(cells) - 1, "-"))
  colMeans(pmax(1 - distances, 0))
}

# Sections 13.1 and 13.2, for a map [rank, x, y]: the weight of each cell [x, y], or an end with what is wrong.
cell_weights <- function(shape, box, profile, about) {
  need(profile %in% c("", "relabel", "relabel-2021"), "the profiles are relabel and relabel-2021")
  need(profile != "" || about$orientation != "unknown", "orientation unknown: name a profile, relabel or relabel-2021")
  need(profile != "relabel-2021" || shape[2] == shape[3], "the profile relabel-2021 is for square maps")
  start <- box[1:2]
  length <- box[3:4]
  need(all(start >= 0, start < 1, length > 0, length <= 1, start + length <= 1 + 1e-6), "the box leaves the picture")
  start <- (start - about$map_extent[1:2]) / about$map_extent[3:4]
  length <- length / about$map_extent[3:4]
  far <- start + length
  need(all(start >= -1e-6, start < 1, far > 0, far <= 1 + 1e-6), "the box leaves what the map covers")
  side <- if (profile == "relabel-2021" || about$orientation == "xy") 2:1 else 1:2 # of axis y, of axis x
  rows <- axis_weights(start[side[1]], length[side[1]], shape[3])
  columns <- axis_weights(start[side[2]], length[side[2]], shape[2])
  outer(columns, rows)
}

# Section 13.4, for arrays [rank, x, y]: the target of each class and, at the end, of a class without entries.
pool <- function(ids, score, weights, about) {
  by_entry <- function(cells) rep(cells, each = dim(ids)[1])
  value <- if (about$score_kind == "log_probability") exp(score) else score
  absent <- if (about$fill == "uniform") about$num_classes - dim(ids)[1] else 0
  share <- if (absent > 0) pmax(1 - colSums(value), 0) / absent else 0 * weights
  rest <- sum(weights * share)
  parts <- by_entry(weights) * (value - by_entry(share))
  means <- rest + tapply(parts, factor(ids, seq_len(about$num_classes) - 1), sum, default = 0)
  if (about$score_kind != "logit") return(c(means, rest))
  powers <- exp((c(means, 0) - max(means, 0)) / about$temperature)
  powers / sum(head(powers, -1))
}
