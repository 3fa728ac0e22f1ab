// Draws the alerts of the last fourteen days, stacked by severity, from the JSON that data-source names.
(() => {
  'use strict'

  const COLOURS = { P1: '#d0352b', P2: '#e07a26', P3: '#e9b83f', P4: '#8a9a91' }
  const box = document.getElementById('alerts-chart')
  if (!box) return

  const chart = echarts.init(box, null, { renderer: 'svg' })

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim()
  }

  async function draw() {
    const answer = await fetch(box.dataset.source, { headers: { Accept: 'application/json' } })
    if (!answer.ok) return
    const { days, series } = await answer.json()
    const ink = colour('--muted')
    const line = colour('--line')
    chart.setOption(
      {
        animation: false,
        aria: { enabled: true, description: box.dataset.description },
        grid: { left: 8, right: 8, top: 36, bottom: 4, containLabel: true },
        legend: { top: 0, left: 0, itemWidth: 12, itemHeight: 12, textStyle: { color: ink } },
        tooltip: { trigger: 'axis', backgroundColor: colour('--surface'), borderColor: line, textStyle: { color: colour('--ink') } },
        xAxis: { type: 'category', data: days, axisLabel: { color: ink, showMaxLabel: true, hideOverlap: true }, axisLine: { lineStyle: { color: line } }, axisTick: { show: false } },
        yAxis: { type: 'value', minInterval: 1, axisLabel: { color: ink }, splitLine: { lineStyle: { color: line } } },
        series: series.map(({ severity, counts }) => ({
          name: severity,
          type: 'bar',
          stack: 'alerts',
          barMaxWidth: 28,
          itemStyle: { color: COLOURS[severity] },
          data: counts,
        })),
      },
      true,
    )
  }

  box.addEventListener('refresh', draw)
  addEventListener('resize', () => chart.resize())
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw)
  draw()
})()
