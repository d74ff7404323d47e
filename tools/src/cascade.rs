//! The compaction cascade of a run as a picture: how levels grew, which bytes went where, and why.

use std::collections::BTreeMap;
use std::path::Path;

use cairn_engine::lsm::compaction::Reason;
use cairn_engine::lsm::events::{Event, EventKind};
use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;

/// Width and height in pixels.
const SIZE: (u32, u32) = (1280, 1120);
/// Heights of the title, of the levels over time and of the cascade; the rest is for the bars.
const HEIGHTS: [u32; 3] = [44, 330, 420];
const FONT: &str = "sans-serif";
/// The widest stroke, of the event that wrote the most.
const STROKE_MAX: f64 = 9.0;

/// Colours of levels 0 to 6, light to dark: deeper is older and larger.
const LEVELS: [RGBColor; 7] = [
    RGBColor(253, 231, 37),
    RGBColor(144, 215, 67),
    RGBColor(53, 183, 121),
    RGBColor(33, 145, 140),
    RGBColor(49, 104, 142),
    RGBColor(68, 58, 131),
    RGBColor(68, 1, 84),
];

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;
type Drawn<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// What moved bytes, as far as colours go.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Cause {
    Flush,
    Ingest,
    Merge(usize),
}

impl Cause {
    /// Why an event moved bytes; `None` when it did not.
    fn of(event: &Event) -> Option<Self> {
        match event.kind {
            EventKind::Flush => Some(Self::Flush),
            EventKind::Ingest => Some(Self::Ingest),
            EventKind::Merge | EventKind::Move => {
                Some(Self::Merge(event.reason.map_or(0, |reason| reason as usize)))
            }
            EventKind::Open | EventKind::Drop => None,
        }
    }

    fn name(self) -> String {
        match self {
            Self::Flush => "flush".to_owned(),
            Self::Ingest => "bulk load".to_owned(),
            Self::Merge(code) => Reason::ALL.get(code).map_or(String::new(), ToString::to_string),
        }
    }

    fn color(self) -> RGBColor {
        match self {
            Self::Flush => RGBColor(127, 127, 127),
            Self::Ingest => RGBColor(23, 190, 207),
            Self::Merge(code) => [
                RGBColor(31, 119, 180),
                RGBColor(255, 127, 14),
                RGBColor(214, 39, 40),
                RGBColor(140, 86, 75),
                RGBColor(227, 119, 194),
                RGBColor(44, 160, 44),
                RGBColor(148, 103, 189),
            ][code % 7],
        }
    }
}

/// The events since the last opening after which anything happened.
pub(crate) fn last_run(events: &[Event]) -> &[Event] {
    let Some(last) = events.iter().rposition(|event| event.kind != EventKind::Open) else {
        return &[];
    };
    let opened = events[..last].iter().rposition(|event| event.kind == EventKind::Open);
    &events[opened.unwrap_or(0)..=last]
}

/// Draws the events of a run.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn draw(events: &[Event], name: &str, path: &Path) -> Drawn {
    let run = Run::new(events);
    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let (title, rest) = root.split_vertically(HEIGHTS[0]);
    let (levels, rest) = rest.split_vertically(HEIGHTS[1]);
    let (cascade, bars) = rest.split_vertically(HEIGHTS[2]);
    let style = (FONT, 22).into_font().color(&BLACK);
    title.draw(&Text::new(format!("Compaction cascade of {name}"), (20, 12), style))?;
    run.draw_levels(&levels)?;
    run.draw_cascade(&cascade)?;
    run.draw_bars(&bars)?;
    root.present()?;
    Ok(())
}

/// Events with their times.
struct Run<'a> {
    events: &'a [Event],
    /// Seconds from the first event's beginning to the last one's end.
    length: f64,
    /// When the first event began, in seconds since 1970.
    start: f64,
    /// What a second is divided by to be shown, and what the result is called.
    unit: (f64, &'static str),
    /// The rows of the cascade: what comes from memory, then the levels in use.
    rows: Vec<Option<usize>>,
}

impl<'a> Run<'a> {
    fn new(events: &'a [Event]) -> Self {
        let began = |event: &Event| event.ended.saturating_sub(event.took).as_secs_f64();
        let start = events.iter().map(began).fold(f64::INFINITY, f64::min);
        let end = events.iter().map(|event| event.ended.as_secs_f64()).fold(start, f64::max);
        let length = (end - start).max(0.001);
        let unit = match length {
            length if length < 300.0 => (1.0, "seconds"),
            length if length < 18_000.0 => (60.0, "minutes"),
            _ => (3600.0, "hours"),
        };
        let is_used = |level: &usize| {
            events.iter().any(|event| {
                event.level_lens[*level] > 0
                    || event.from_level == Some(*level)
                    || event.to_level == Some(*level)
            })
        };
        let rows = std::iter::once(None).chain((0..LEVELS.len()).filter(is_used).map(Some));
        Self { events, length, start, unit, rows: rows.collect() }
    }

    /// From when to when an event went on, in units of the axis.
    fn span(&self, event: &Event) -> (f64, f64) {
        let end = event.ended.as_secs_f64() - self.start;
        let begin = (end - event.took.as_secs_f64()).max(0.0);
        (begin / self.unit.0, end / self.unit.0)
    }

    fn row(&self, level: Option<usize>) -> f64 {
        self.rows.iter().position(|row| *row == level).unwrap_or_default() as f64
    }

    fn chart<'r, 'b>(
        &self,
        area: &'r Area<'b>,
        caption: &str,
        y: std::ops::Range<f64>,
    ) -> Drawn<Chart<'r, 'b>> {
        let chart = ChartBuilder::on(area)
            .caption(caption, (FONT, 16))
            .margin(12)
            .margin_right(160)
            .x_label_area_size(42)
            .y_label_area_size(84)
            .build_cartesian_2d(0.0..self.length / self.unit.0 * 1.001, y)?;
        Ok(chart)
    }

    /// Bytes of every level over time, one on top of the other, the bottom level lowest.
    fn draw_levels(&self, area: &Area<'_>) -> Drawn {
        let total = |event: &Event| event.level_lens.iter().sum::<u64>();
        let highest = self.events.iter().map(total).max().unwrap_or_default().max(1);
        let (divisor, unit) = scale(highest);
        let top = highest as f64 / divisor * 1.05;
        let mut chart = self.chart(area, "Bytes of each level", 0.0..top)?;
        chart
            .configure_mesh()
            .light_line_style(WHITE)
            .x_desc(format!("time ({})", self.unit.1))
            .y_desc(format!("size ({unit})"))
            .y_label_formatter(&|value| number(*value))
            .x_label_formatter(&|value| number(*value))
            .axis_desc_style((FONT, 14))
            .draw()?;
        let mut legend = Vec::new();
        for level in self.rows.iter().flatten().rev() {
            let upper = self.outline(*level, divisor);
            let lower = self.outline(*level + 1, divisor).into_iter().rev();
            let outline: Vec<_> = upper.into_iter().chain(lower).collect();
            chart.draw_series([Polygon::new(outline, LEVELS[*level].mix(0.85).filled())])?;
            legend.push((format!("level {level}"), LEVELS[*level]));
        }
        legend.reverse();
        draw_legend(area, &legend)
    }

    /// The bytes of a level and all below it, as steps over time.
    fn outline(&self, level: usize, divisor: f64) -> Vec<(f64, f64)> {
        let mut points = Vec::with_capacity(self.events.len() * 2);
        let mut last = 0.0;
        for event in self.events {
            let at = self.span(event).1;
            let below = event.level_lens.get(level..).unwrap_or_default();
            let sum = below.iter().sum::<u64>() as f64 / divisor;
            points.push((at, if points.is_empty() { sum } else { last }));
            points.push((at, sum));
            last = sum;
        }
        points
    }

    /// Each event as a stroke from where bytes came to where they went, while it went on.
    fn draw_cascade(&self, area: &Area<'_>) -> Drawn {
        let rows = self.rows.len();
        let caption = "Which bytes went where, and why: the wider, the more bytes; dashed: moved";
        let mut chart = self.chart(area, caption, (rows as f64 - 0.5)..-0.5)?;
        let label = |value: &f64| {
            let at = value.round();
            let row = self.rows.get(at as usize).filter(|_| (value - at).abs() < 0.01);
            match row {
                Some(Some(level)) => format!("level {level}"),
                Some(None) => "memory".to_owned(),
                None => String::new(),
            }
        };
        chart
            .configure_mesh()
            .light_line_style(WHITE)
            .y_labels(rows * 2 + 1)
            .x_desc(format!("time ({})", self.unit.1))
            .x_label_formatter(&|value| number(*value))
            .y_label_formatter(&label)
            .axis_desc_style((FONT, 14))
            .draw()?;
        let most = self.events.iter().map(bytes).max().unwrap_or_default().max(1) as f64;
        let mut legend = BTreeMap::new();
        for event in self.events {
            let Some(cause) = Cause::of(event) else { continue };
            legend.insert(cause, (cause.name(), cause.color()));
            let (begin, end) = self.span(event);
            let (from, to) = (self.row(event.from_level), self.row(event.to_level));
            let width = (STROKE_MAX * (bytes(event) as f64 / most).sqrt()).max(1.0);
            let style = cause.color().mix(0.7).stroke_width(width.round() as u32);
            let points = [(begin, from), (end, to)];
            if event.kind == EventKind::Move {
                chart.draw_series(DashedLineSeries::new(points, 4, 4, style))?;
            } else {
                chart.draw_series(LineSeries::new(points, style))?;
                chart.draw_series([Circle::new((end, to), 2.0, cause.color().filled())])?;
            }
        }
        draw_legend(area, &legend.into_values().collect::<Vec<_>>())
    }

    /// Bytes written between two levels in all, by reason.
    fn draw_bars(&self, area: &Area<'_>) -> Drawn {
        let mut edges: BTreeMap<(Option<usize>, usize), BTreeMap<Cause, u64>> = BTreeMap::new();
        for event in self.events.iter().filter(|event| event.kind != EventKind::Move) {
            let (Some(cause), Some(to)) = (Cause::of(event), event.to_level) else { continue };
            let sums = edges.entry((event.from_level, to)).or_default();
            *sums.entry(cause).or_default() += event.len_written;
        }
        let edges: Vec<_> = edges.into_iter().collect();
        let total = |sums: &BTreeMap<Cause, u64>| sums.values().sum::<u64>();
        let highest = edges.iter().map(|(_, sums)| total(sums)).max().unwrap_or_default().max(1);
        let (divisor, unit) = scale(highest);
        let count = edges.len().max(1);
        let mut chart = ChartBuilder::on(area)
            .caption("Bytes written, by where they came from and went to", (FONT, 16))
            .margin(12)
            .margin_right(160)
            .x_label_area_size(42)
            .y_label_area_size(110)
            .build_cartesian_2d(0.0..highest as f64 / divisor * 1.12, (count as f64 - 0.5)..-0.5)?;
        let label = |value: &f64| {
            let at = value.round();
            let edge = edges.get(at as usize).filter(|_| (value - at).abs() < 0.01);
            edge.map_or(String::new(), |((from, to), _)| match from {
                Some(from) => format!("level {from} \u{2192} {to}"),
                None => format!("memory \u{2192} {to}"),
            })
        };
        chart
            .configure_mesh()
            .disable_y_mesh()
            .light_line_style(WHITE)
            .y_labels(count * 2 + 1)
            .x_desc(format!("bytes written ({unit})"))
            .x_label_formatter(&|value| number(*value))
            .y_label_formatter(&label)
            .axis_desc_style((FONT, 14))
            .draw()?;
        for (row, (_, sums)) in edges.iter().enumerate() {
            let mut left = 0.0;
            let row = row as f64;
            for (cause, len) in sums {
                let right = left + *len as f64 / divisor;
                let corners = [(left, row - 0.36), (right, row + 0.36)];
                chart.draw_series([Rectangle::new(corners, cause.color().mix(0.85).filled())])?;
                left = right;
            }
            let text = format!("{} {unit}", number(left));
            let style = (FONT, 13).into_font().color(&BLACK);
            let place = (left + highest as f64 / divisor * 0.005, row - 0.12);
            chart.draw_series([Text::new(text, place, style)])?;
        }
        Ok(())
    }
}

/// Bytes that an event put somewhere.
fn bytes(event: &Event) -> u64 {
    if Cause::of(event).is_some() { event.len_written } else { 0 }
}

/// Names and colours on the right of a panel.
fn draw_legend(area: &Area<'_>, entries: &[(String, RGBColor)]) -> Drawn {
    let left = SIZE.0 as i32 - 150;
    for (row, (name, color)) in (0_i32..).zip(entries) {
        let top = 48 + row * 22;
        let corners = [(left, top), (left + 16, top + 12)];
        area.draw(&Rectangle::new(corners, color.mix(0.85).filled()))?;
        let style = (FONT, 14).into_font().color(&BLACK);
        area.draw(&Text::new(name.clone(), (left + 24, top - 1), style))?;
    }
    Ok(())
}

/// The unit in which a length is a number that people read, and its name.
fn scale(len: u64) -> (f64, &'static str) {
    match len {
        0..0x10_0000 => (1024.0, "KiB"),
        0x10_0000..0x4000_0000 => (1024.0 * 1024.0, "MiB"),
        _ => (1024.0 * 1024.0 * 1024.0, "GiB"),
    }
}

/// A number with as many digits as it needs.
fn number(value: f64) -> String {
    if value >= 100.0 || (value - value.round()).abs() < 1e-9 {
        format!("{value:.0}")
    } else if value >= 1.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

#[cfg(test)]
mod tests {
    use cairn_engine::{Db, Env, Isolation, Options, inspect};

    use super::*;

    /// The events of a directory that was opened twice, the second time for nothing.
    fn events(dir: &Path) -> Vec<Event> {
        let options = Options {
            memtable_len_max: 8 << 10,
            level0_compaction_count: 2,
            background_thread_count: 0,
            ..Options::default()
        };
        let db = Db::open(dir, options.clone()).unwrap();
        for n in 0..400_u32 {
            let txn = db.begin(Isolation::ReadCommitted);
            txn.put(&n.to_be_bytes(), &[7; 100]).unwrap();
            txn.commit().unwrap();
        }
        db.close().unwrap();
        drop(db);
        Db::open(dir, options).unwrap().close().unwrap();
        inspect::events(&Env::os(), dir).unwrap()
    }

    #[test]
    fn a_run_is_drawn_with_all_its_parts() {
        let dir = tempfile::tempdir().unwrap();
        let all = events(dir.path());
        let run = last_run(&all);
        assert!(run.len() < all.len() && run[0].kind == EventKind::Open, "{all:?}");
        assert!(run.iter().any(|event| event.kind == EventKind::Flush), "{run:?}");
        assert!(run.iter().any(|event| event.kind == EventKind::Merge), "{run:?}");
        let path = dir.path().join("cascade.svg");
        draw(run, "a test", &path).unwrap();
        let svg = std::fs::read_to_string(&path).unwrap();
        for part in [
            "cascade of a test",
            "Bytes of each level",
            "time (seconds)",
            "size (",
            "level 0",
            "flush",
        ] {
            assert!(svg.contains(part), "{part}");
        }
        assert!(last_run(&[]).is_empty());
    }
}
