"""Lays out pictures without fire that smoke_flame.py trains on, as links, for `training-plumes --backgrounds`: OUT/clear of hill cameras, OUT/streets of streets, motorways and fire-like scenes.

python3 backgrounds.py --data DIR --out BACKGROUNDS
"""
import argparse
import os
import shutil

import records

FOLDERS = {'clear': ('hill-cameras-clear',), 'streets': ('streets', 'traffic-overhead', 'negative')}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', required=True)
    parser.add_argument('--out', required=True, help='made anew')
    args = parser.parse_args()
    shutil.rmtree(args.out, ignore_errors=True)
    found = [r for r in records.fire_smoke(args.data) + records.smoke_far(args.data) if not r.held and not r.boxes]
    for folder, sets in FOLDERS.items():
        os.makedirs(os.path.join(args.out, folder))
        chosen = [os.path.abspath(r.path) for r in found if r.set in sets]
        for path in chosen:
            os.symlink(path, os.path.join(args.out, folder, os.path.basename(path)))
        print(f'{folder}: {len(chosen)} pictures', flush=True)


if __name__ == '__main__':
    main()
