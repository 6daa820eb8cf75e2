"""Scores a package's ONNX file on every set, as its card quotes it. What it costs in time is told by `npm run model -- bench`.

python3 evaluate.py smoke-flame --model ../smoke-flame/model.onnx --data DIR [--drawn DIR]
python3 evaluate.py water-segmentation --model ../water-segmentation/model.onnx --data DIR [--rendered DIR]
"""
import argparse
import json

import numpy as np

import metrics
import records
from cache import cached, load_mask, load_picture
from runtime import as_input, open_model, run_all


def rounded(value):
    return None if value is None else round(value, 3)


def fires(model, args):
    """Per set and label: AUC and recall at 1 % false alarms, the score of a picture being the mean of its highest cells."""
    near = [r for r in records.fire_smoke(args.data) if r.held]
    far = [r for r in records.smoke_far(args.data) if r.held]
    drawn = [r for folder in args.drawn for r in records.drawn_plumes(folder) if r.held]
    every = near + far + drawn
    maps = run_all(model, cached(args.cache, [r.path for r in every], load_picture, 3))
    scores, highest = metrics.picture_scores(maps), maps.reshape(len(every), 2, -1).max(2)
    ordinary = np.array([r.set in ('negative', 'traffic-cctv', 'streets') for r in every])
    hills = np.array([r.set == 'hill-cameras-clear' for r in every])
    calm = np.array([r.set == 'photographs' and not r.boxes for r in every])
    undrawn = np.array([r.set == 'drawn' and not r.boxes for r in every])
    found = {'images': len(every), 'ordinaryNegatives': int(ordinary.sum())}
    cases = [('cctv', 'cctv', ordinary), ('web', 'web', ordinary), ('photographs', 'photographs', ordinary),
             ('photographsAgainstFireLike', 'photographs', calm), ('mountainTop', 'hpwren-noncommercial', hills),
             ('mountainTopAgainstOrdinary', 'hpwren-noncommercial', ordinary), ('drawn', 'drawn', undrawn)]
    tops = [k for k, r in enumerate(every) if r.set == 'hpwren-noncommercial']
    found['mountainTopHighestCellOnSmoke'] = rounded(metrics.highest_on_box(maps[tops, records.SMOKE], [every[k].boxes for k in tops]))
    for label, name in enumerate(('smoke', 'flame')):
        for key, group, negative in cases:
            positive = np.array([r.set == group and r.has(label) for r in every])
            if positive.any():
                p, n = scores[positive, label], scores[negative, label]
                found.setdefault(name, {})[key] = {'auc': rounded(metrics.auc(p, n)), 'recallAt1pc': rounded(metrics.recall_at(p, n)),
                                                   'positives': int(positive.sum()), 'negatives': int(negative.sum())}
        within = np.array([r.set == 'cctv' and not r.has(label) for r in every])
        positive = np.array([r.set == 'cctv' and r.has(label) for r in every])
        found[name]['cctvWithinScenes'] = {'auc': rounded(metrics.auc(scores[positive, label], scores[within, label])),
                                           'positives': int(positive.sum()), 'negatives': int(within.sum())}
        # The agent compares single cells with it.
        found[name]['thresholdAt1pc'] = rounded(metrics.threshold_at(highest[ordinary, label], 0.01))
        found[name]['falseAlarmsAt05'] = {group: rounded(float((scores[np.array([r.set == group and not r.boxes for r in every]), label] > 0.5).mean()))
                                          for group in ('negative', 'traffic-cctv', 'streets', 'hill-cameras-clear', 'photographs')}
    return found


def gauges(model, args):
    """Staff gauge, zoomed view: the row where the mask turns to water in the gauge's columns against the labelled line."""
    errors = []
    for record in (r for r in records.gauges(args.data) if r.held):
        mask = model(as_input(load_picture(record.path)))[0, 0]
        (_, row, _, _), (centre, _, wide, _) = record.boxes
        columns = mask[:, max(0, int((centre - wide) * mask.shape[1])):int((centre + wide) * mask.shape[1]) + 1]
        wet = columns.mean(1) > 0.5
        dry_above = np.concatenate([[0], np.cumsum(~wet)])
        wet_below = np.concatenate([np.cumsum(wet[::-1])[::-1], [0]])
        line = int(np.argmax(dry_above + wet_below))
        errors.append(abs(line / mask.shape[0] - row))
    return {'images': len(errors), 'lineErrorMedian': rounded(float(np.median(errors))), 'lineErrorP90': rounded(float(np.quantile(errors, 0.9)))}


def waters(model, args):
    """IoU at 0.5 per masked set, error of the water share, and what street photographs without masks can tell."""
    masked = [r for r in records.water(args.data) if r.held]
    masked += [r for folder in args.rendered for r in records.rendered(folder) if r.held]
    pictures = cached(args.cache, [r.path for r in masked], load_picture, 3)
    truths = cached(args.cache, [r.mask for r in masked], load_mask, 1)[:, ::2, ::2, 0] > 127
    maps = run_all(model, pictures)[:, 0]
    found = {'images': len(masked)}
    for group in sorted({r.set for r in masked}):
        chosen = np.array([r.set == group for r in masked])
        guess, truth = maps[chosen] > 0.5, truths[chosen]
        found[group] = {'iou': rounded(metrics.iou(guess, truth)), 'images': int(chosen.sum()),
                        'shareError': rounded(float(np.abs(guess.mean((1, 2)) - truth.mean((1, 2))).mean()))}
        dry = truth.mean((1, 2)) < 0.001
        if dry.any():
            found[group]['falseShareDry'] = rounded(float(guess[dry].mean()))
    photographs = [r for r in records.streets(args.data) if r.held]
    maps = run_all(model, cached(args.cache, [r.path for r in photographs], load_picture, 3))[:, 0]
    share = (maps > 0.5).mean((1, 2))
    sets = {name: share[np.array([r.set == 'street-' + name for r in photographs])] for name in ('flooded', 'wet', 'dry')}
    found['streets'] = {'aucFloodedWet': rounded(metrics.auc(sets['flooded'], sets['wet'])),
                        'aucFloodedDry': rounded(metrics.auc(sets['flooded'], sets['dry'])),
                        **{f'share{name.title()}': rounded(float(values.mean())) for name, values in sets.items()},
                        'images': len(photographs)}
    roads = [r for r in records.dry_roads(args.data) if r.held]
    share = (run_all(model, cached(args.cache, [r.path for r in roads], load_picture, 3))[:, 0] > 0.5).mean((1, 2))
    found['dryCityCameras'] = {'falseShare': rounded(float(share.mean())), 'above10pc': rounded(float((share > 0.1).mean())), 'images': len(roads)}
    found['staffGauge'] = gauges(model, args)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('task', choices=('smoke-flame', 'water-segmentation'))
    parser.add_argument('--model', required=True)
    parser.add_argument('--data', required=True)
    parser.add_argument('--drawn', action='append', default=[], metavar='DIR', help="the scene scripts' training-plumes; may be repeated")
    parser.add_argument('--rendered', action='append', default=[], metavar='DIR', help='rendered streets or rivers; may be repeated')
    parser.add_argument('--cache', default='.cache')
    parser.add_argument('--json', default='', help='also write the figures to this file')
    args = parser.parse_args()
    model = open_model(args.model)
    found = (fires if args.task == 'smoke-flame' else waters)(model, args)
    print(json.dumps(found, indent=1))
    if args.json:
        with open(args.json, 'w') as file:
            json.dump(found, file, indent=1)


if __name__ == '__main__':
    main()
