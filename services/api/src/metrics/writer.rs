//! Writes metrics as text: one call each, with name, unit and help.

use std::fmt;

use prometheus_client::encoding::{
    DescriptorEncoder, EncodeGaugeValue, EncodeLabelSet, EncodeMetric, NoLabelSet,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

use super::kinds::{BOUNDS, Reading};

pub struct Writer<'a>(pub DescriptorEncoder<'a>);

impl Writer<'_> {
    /// A metric without labels.
    pub fn one(
        &mut self,
        name: &str,
        unit: Option<&Unit>,
        help: &str,
        metric: &impl EncodeMetric,
    ) -> fmt::Result {
        let kind = metric.metric_type();
        metric.encode(self.0.encode_descriptor(name, help, unit, kind)?)
    }

    pub fn counter(&mut self, name: &str, help: &str, count: u64) -> fmt::Result {
        self.one(name, None, help, &ConstCounter::new(count))
    }

    pub fn counters<L: EncodeLabelSet>(
        &mut self,
        name: &str,
        help: &str,
        rows: impl IntoIterator<Item = (L, u64)>,
    ) -> fmt::Result {
        let mut encoder = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, count) in rows {
            ConstCounter::new(count).encode(encoder.encode_family(&labels)?)?;
        }
        Ok(())
    }

    pub fn gauge<V: EncodeGaugeValue>(&mut self, name: &str, help: &str, value: V) -> fmt::Result {
        self.one(name, None, help, &ConstGauge::new(value))
    }

    pub fn bytes(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        self.one(name, Some(&Unit::Bytes), help, &ConstGauge::new(value))
    }

    pub fn gauges<L: EncodeLabelSet, V: EncodeGaugeValue>(
        &mut self,
        name: &str,
        help: &str,
        rows: impl IntoIterator<Item = (L, V)>,
    ) -> fmt::Result {
        let mut encoder = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (labels, value) in rows {
            ConstGauge::new(value).encode(encoder.encode_family(&labels)?)?;
        }
        Ok(())
    }

    /// Always 1; what it says is in its labels. Its name gets `_info`.
    pub fn info(&mut self, name: &str, help: &str, labels: &impl EncodeLabelSet) -> fmt::Result {
        let mut encoder = self.0.encode_descriptor(name, help, None, MetricType::Info)?;
        encoder.encode_info(labels)
    }

    pub fn duration(&mut self, name: &str, help: &str, reading: &Reading) -> fmt::Result {
        let mut encoder =
            self.0
                .encode_descriptor(name, help, Some(&Unit::Seconds), MetricType::Histogram)?;
        encoder.encode_histogram::<NoLabelSet>(reading.seconds(), reading.count(), &reading.by_bound(), None)
    }

    pub fn durations<L: EncodeLabelSet>(
        &mut self,
        name: &str,
        help: &str,
        rows: impl IntoIterator<Item = (L, Reading)>,
    ) -> fmt::Result {
        let mut encoder =
            self.0
                .encode_descriptor(name, help, Some(&Unit::Seconds), MetricType::Histogram)?;
        for (labels, reading) in rows {
            encoder.encode_family(&labels)?.encode_histogram::<NoLabelSet>(
                reading.seconds(),
                reading.count(),
                &reading.by_bound(),
                None,
            )?;
        }
        Ok(())
    }
}

impl Reading {
    #[expect(
        clippy::cast_precision_loss,
        reason = "142 years of microseconds fit into 52 bits"
    )]
    fn seconds(&self) -> f64 {
        self.micros as f64 / 1e6
    }

    /// Each bucket's upper bound in seconds, with its own count.
    #[expect(clippy::cast_precision_loss, reason = "bounds are small")]
    fn by_bound(&self) -> Vec<(f64, u64)> {
        let bounds = BOUNDS.iter().map(|micros| *micros as f64 / 1e6);
        bounds.chain([f64::INFINITY]).zip(self.buckets).collect()
    }
}
