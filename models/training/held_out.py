"""Lays out what road_users.py never trains on, as links, for `npm run model -- eval`. Labels stay the sources' own: those of coco count COCO's classes.

python3 held_out.py --data DIR --out HELD
"""
import argparse
import os
import shutil

import road_records


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', required=True)
    parser.add_argument('--out', required=True, help='made anew: OUT/SET/images and OUT/SET/labels')
    args = parser.parse_args()
    shutil.rmtree(args.out, ignore_errors=True)
    held = [r for r in road_records.traffic(args.data) + road_records.coco(args.data) if r.held]
    for road in held:
        for part, end in (('images', os.path.splitext(road.path)[1]), ('labels', '.txt')):
            name = os.path.splitext(os.path.basename(road.path))[0] + end
            folder = os.path.join(args.out, road.set, part)
            os.makedirs(folder, exist_ok=True)
            source = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(road.path))), part, name)
            if os.path.exists(source):
                os.symlink(source, os.path.join(folder, name))
    print({name: sum(r.set == name for r in held) for name in sorted({r.set for r in held})})


if __name__ == '__main__':
    main()
