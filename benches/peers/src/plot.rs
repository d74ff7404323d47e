//! The comparison as a picture: for each phase one group of bars, an engine's bar as long as it is
//! faster than RocksDB.

use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::engines::Result;
use crate::meter::Measurement;
use crate::report::{BASE, distinct, ratio};

const WIDTH: u32 = 1100;
const PANEL_ROW_HEIGHT: u32 = 15;
const PANEL_MARGIN: u32 = 110;
/// Ratios beyond are cut: what is a hundred times slower need not make the rest invisible.
const RATIO_MAX: f64 = 16.0;
const RATIO_MIN: f64 = 1.0 / RATIO_MAX;
const COLORS: [RGBColor; 6] = [
    RGBColor(0xc4, 0x4e, 0x2b),
    RGBColor(0x4c, 0x72, 0xb0),
    RGBColor(0x8c, 0x8c, 0x8c),
    RGBColor(0x55, 0xa8, 0x68),
    RGBColor(0xb7, 0x9f, 0x3b),
    RGBColor(0x81, 0x72, 0xb3),
];

/// Draws one panel for each cache size.
pub fn draw(results: &[Measurement], path: &Path) -> Result<()> {
    let caches = distinct(results, |m| m.cache_mib);
    let phases = distinct(results, |m| m.phase.as_str());
    let engines: Vec<_> =
        distinct(results, |m| m.engine.as_str()).into_iter().filter(|e| *e != BASE).collect();
    let rows = u32::try_from(phases.len() * (engines.len() + 1))?;
    let height = (PANEL_ROW_HEIGHT * rows + PANEL_MARGIN) * u32::try_from(caches.len())?;
    let root = SVGBackend::new(path, (WIDTH, height)).into_drawing_area();
    root.fill(&WHITE)?;
    for (panel, cache_mib) in root.split_evenly((caches.len(), 1)).iter().zip(caches) {
        let rows = i32::try_from(rows)?;
        let mut chart = ChartBuilder::on(panel)
            .caption(format!("Times as fast as RocksDB, cache {cache_mib} MiB"), ("sans-serif", 18))
            .margin(12)
            .x_label_area_size(36)
            .y_label_area_size(190)
            .build_cartesian_2d((RATIO_MIN..RATIO_MAX).log_scale().base(2.0), 0..rows)?;
        let group = i32::try_from(engines.len() + 1)?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .disable_y_axis()
            .x_desc("ratio (CPU per operation; rate for durable commits and reopening)")
            .x_label_formatter(&|ratio| format!("{ratio}"))
            .draw()?;
        for (index, engine) in engines.iter().enumerate() {
            let color = COLORS[index % COLORS.len()];
            let bars = phases.iter().enumerate().filter_map(|(at, phase)| {
                let ratio = ratio(results, engine, phase, cache_mib)?.clamp(RATIO_MIN, RATIO_MAX);
                let row = rows - i32::try_from(at).ok()? * group - i32::try_from(index).ok()? - 2;
                let ends = [(ratio.min(1.0), row), (ratio.max(1.0), row + 1)];
                Some(Rectangle::new(ends, color.filled()))
            });
            chart.draw_series(bars)?.label(*engine).legend(move |(x, y)| {
                Rectangle::new([(x, y - 5), (x + 12, y + 5)], color.filled())
            });
        }
        for (at, phase) in phases.iter().enumerate() {
            let row = rows - i32::try_from(at)? * group - 1;
            let (x, y) = chart.backend_coord(&(RATIO_MIN, row));
            let style = ("sans-serif", 13).into_font().color(&BLACK);
            let place = Pos::new(HPos::Right, VPos::Top);
            root.draw(&Text::new((*phase).to_owned(), (x - 8, y), style.pos(place)))?;
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::LowerRight)
            .border_style(BLACK)
            .background_style(WHITE)
            .draw()?;
    }
    root.present()?;
    Ok(())
}
