# gnuplot 1-alignment-angle.gp
reset
set terminal pngcairo size 1200,900 font 'sans,18' noenhanced
set output '1-alignment-angle.png'
set title 'angle to backpropagation''s error' noenhanced
set xlabel 'layer'
set ylabel 'degrees'
set yrange [0:94.4458]
set offsets graph 0.03, graph 0.03, 0, 0
set grid ytics lc rgb '#dddddd'
set border 3
set tics nomirror
set key outside top center horizontal
set xtics ('conv1' 0, 'layer1.0.conv1' 1, 'layer1.0.conv2' 2, 'layer1.1.conv1' 3, 'layer1.1.conv2' 4, 'layer2.0.conv1' 5, 'layer2.0.conv2' 6, 'layer2.0.downsample.0' 7, 'layer2.1.conv1' 8, 'layer2.1.conv2' 9, 'layer3.0.conv1' 10, 'layer3.0.conv2' 11, 'layer3.0.downsample.0' 12, 'layer3.1.conv1' 13, 'layer3.1.conv2' 14, 'layer4.0.conv1' 15, 'layer4.0.conv2' 16, 'layer4.0.downsample.0' 17, 'layer4.1.conv1' 18, 'layer4.1.conv2' 19, 'fc' 20)
plot '1-alignment-angle.dat' index 0 using 1:3:4 with filledcurves lc rgb '#3b4252' fs transparent solid 0.12 notitle, \
    '1-alignment-angle.dat' index 0 using 1:2 with linespoints pt 7 ps 0.8 lw 2 dt 1 lc rgb '#3b4252' title 'bp', \
    '1-alignment-angle.dat' index 1 using 1:3:4 with filledcurves lc rgb '#0072b2' fs transparent solid 0.12 notitle, \
    '1-alignment-angle.dat' index 1 using 1:2 with linespoints pt 7 ps 0.8 lw 2 dt 1 lc rgb '#0072b2' title 'usf', \
    '1-alignment-angle.dat' index 2 using 1:3:4 with filledcurves lc rgb '#d55e00' fs transparent solid 0.12 notitle, \
    '1-alignment-angle.dat' index 2 using 1:2 with linespoints pt 7 ps 0.8 lw 2 dt 1 lc rgb '#d55e00' title 'frsf', \
    '1-alignment-angle.dat' index 3 using 1:3:4 with filledcurves lc rgb '#009e73' fs transparent solid 0.12 notitle, \
    '1-alignment-angle.dat' index 3 using 1:2 with linespoints pt 7 ps 0.8 lw 2 dt 1 lc rgb '#009e73' title 'brsf', \
    '1-alignment-angle.dat' index 4 using 1:3:4 with filledcurves lc rgb '#b5558f' fs transparent solid 0.12 notitle, \
    '1-alignment-angle.dat' index 4 using 1:2 with linespoints pt 7 ps 0.8 lw 2 dt 1 lc rgb '#b5558f' title 'fa'
